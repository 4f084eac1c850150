/** Members of one group come, go and are refused; the other group on the same topic keeps its generation, its partitions and its offsets. */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ client, openClient, topic, group, send, until }) => {
    const topics = [topic('orders')]
    const calm = group('calm')
    const busy = group('busy')
    await using steady = collect(openClient(), { groupId: calm, topics, heartbeatIntervalMs: 100 })
    await steady.member.ready()
    const { generation } = steady.member
    let busyCount = 0
    for (let round = 0; round < 3; round++) {
      const members = [0, 1].map(() =>
        collect(openClient(), { groupId: busy, topics, heartbeatIntervalMs: 100 }),
      )
      await until('both are in', () => members.every((member) => member.held().length === 1))
      await send('orders', [
        { partition: 0, value: `${round}` },
        { partition: 1, value: `${round}` },
      ])
      await until('both groups have read', () => {
        return (
          steady.messages.length === 2 * (round + 1) &&
          members.flatMap(({ messages }) => messages).length === 2
        )
      })
      busyCount += members.flatMap(({ messages }) => messages).length
      await Promise.all(members.map((member) => member.close()))
    }
    assert.equal(busyCount, 6, 'each message came once to the busy group as well')
    assert.deepEqual([steady.member.generation, steady.held().length], [generation, 2])
    await client.admin.deleteGroups([busy])
    await steady.commit()
    const offsets = await client.admin.committedOffsets(calm)
    assert.deepEqual(
      offsets.map(({ offset }) => offset),
      [3, 3],
    )
  },
)
