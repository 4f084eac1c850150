/** A partition has moved to another member: what its former owner commits late is refused, and never overwrites. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ client, openClient, topic, group, send, until }) => {
    const groupId = group('billing')
    const common = { groupId, topics: [topic('orders')], heartbeatIntervalMs: 100 }
    const values = ['a', 'b', 'c']
    for (const partition of [0, 1]) {
      await send(
        'orders',
        values.map((value) => ({ partition, value })),
      )
    }
    await using former = openClient().joinGroup(common)
    await former.ready()
    const held = former.owned.slice()
    await using next = openClient().joinGroup(common)
    await until('one has moved', () => former.owned.length === 1 && next.owned.length === 1)
    const lost = held.find(({ isOwned }) => !isOwned)
    const kept = held.find(({ isOwned }) => isOwned)
    const [moved] = next.owned
    assert.ok(lost && kept && moved)
    assert.equal(moved.partition, lost.partition)

    assert.deepEqual(await next.commit([{ partition: moved, offset: 3 }]), ['committed'])
    const outcomes = await former.commit([
      { partition: lost, offset: 1 },
      { partition: kept, offset: 2 },
    ])
    assert.deepEqual(outcomes, ['fenced', 'committed'])
    const offsets = await client.admin.committedOffsets(groupId)
    assert.equal(offsets.find(({ partition }) => partition === lost.partition)?.offset, 3)
    assert.equal(offsets.find(({ partition }) => partition === kept.partition)?.offset, 2)
  },
)
