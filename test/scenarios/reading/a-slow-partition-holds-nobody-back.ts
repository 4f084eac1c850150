/** One of four partitions is never handled and has more waiting than the whole buffer may hold; the other three go on to their ends. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const partitions = 4
const each = 300
const value = Buffer.alloc(1000, 'x')

await scenario(
  { topics: { orders: { partitions } } },
  async ({ client, topic, group, send, until }) => {
    for (let partition = 0; partition < partitions; partition++) {
      await send(
        'orders',
        Array.from({ length: each }, () => ({ partition, value })),
      )
    }
    const member = client.joinGroup({
      groupId: group('billing'),
      topics: [topic('orders')],
      fetch: { bufferedBytes: 100_000, perPartitionBytes: 20_000, maxBytes: 50_000, maxWaitMs: 50 },
    })
    await member.ready()
    const slow = member.owned.find(({ partition }) => partition === 0)
    assert.ok(slow)
    await slow.available()
    const counts = new Map<number, number>()
    await until(
      'the others have ended',
      () => {
        for (const owned of member.owned) {
          if (owned === slow) continue
          const taken = owned.take(50).length
          counts.set(owned.partition, (counts.get(owned.partition) ?? 0) + taken)
        }
        return [1, 2, 3].every((partition) => counts.get(partition) === each)
      },
      { lastSeen: () => [counts, member.owned.map(({ buffered }) => buffered)] },
    )
    assert.equal(slow.position, 0)
    assert.ok(slow.buffered * value.length <= 400_000, `it holds ${slow.buffered} messages`)
    await member.close()
  },
)
