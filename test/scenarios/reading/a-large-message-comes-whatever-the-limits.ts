/** Fetch limits are about how much at once, not about what may be read: a message above all of them comes, and what is behind it too. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { scenario } from '../../harness/scenario.ts'

const large = randomBytes(900_000)
const fetch = { maxBytes: 2000, perPartitionBytes: 1000, bufferedBytes: 2000 }

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ client, topic, group, send, until }) => {
    for (const partition of [0, 1]) {
      for (const value of ['before', large, 'after', large, 'last'])
        await send('orders', [{ partition, value }])
    }
    const read = await Array.fromAsync(client.reader({ topics: [topic('orders')], fetch }))
    const member = client.joinGroup({ groupId: group('billing'), topics: [topic('orders')], fetch })
    await member.ready()
    const taken: (typeof read)[number][] = []
    await until('the group has them too', () => {
      for (const owned of member.owned) taken.push(...owned.take(10))
      return taken.length === 10
    })
    await member.close()
    for (const messages of [read, taken]) {
      for (const index of [0, 1]) {
        const values = messages
          .filter(({ partition }) => partition === index)
          .map(({ value }) => (value?.length === large.length ? value : String(value)))
        assert.deepEqual(values, ['before', large, 'after', large, 'last'])
      }
    }
  },
)
