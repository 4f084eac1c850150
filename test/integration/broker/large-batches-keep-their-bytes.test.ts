import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apis, decodeRecords, splitBatches } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { connectRaw } from './raw-client.ts'

describe('large batches', () => {
  it('of several connections at once are stored byte for byte, though their buffers are used again', async () => {
    await using broker = await startTestBroker({ topics: { orders: 3 } })
    const rounds = 40
    await Promise.all(
      [0, 1, 2].map(async (partition) => {
        await using client = await connectRaw(broker.port)
        const send = (round: number): Promise<unknown> => {
          const values = [`${partition}/${round}/`, 'x'.repeat(70_000 + round * 11_003)]
          return client.ask(apis.produce, 9, produceTo('orders', partition, batchOf(values)))
        }
        for (let round = 0; round < rounds; round += 4)
          await Promise.all([send(round), send(round + 1), send(round + 2), send(round + 3)])

        let offset = 0
        for (let round = 0; round < rounds;) {
          const fetched = await client.ask(apis.fetch, 11, {
            maxBytes: 2_000_000,
            topics: [
              {
                topic: 'orders',
                partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: 2_000_000 }],
              },
            ],
          })
          const records = fetched.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0)
          for (const batch of splitBatches(records)) {
            const [name, body] = decodeRecords(batch)
            assert.equal(name?.value?.toString(), `${partition}/${round}/`)
            assert.equal(body?.value?.length, 70_000 + round * 11_003)
            assert.ok(body?.value?.every((byte) => byte === 120))
            offset = (body?.offset ?? 0) + 1
            round++
          }
        }
      }),
    )
  })
})
