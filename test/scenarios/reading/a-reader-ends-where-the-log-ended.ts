/**
 * A reader to the end gives what was there when it opened and ends by itself: with empty partitions, with partitions
 * whose messages have all been deleted, and though others go on writing.
 */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 4 }, nothing: { partitions: 3 } } },
  async ({ client, topic, send }) => {
    const orders = topic('orders')
    const lines = (partition: number, count: number): Promise<unknown> =>
      send(
        'orders',
        Array.from({ length: count }, () => ({ partition, value: 'x' })),
      )
    await Promise.all([lines(0, 5), lines(1, 5), lines(2, 5)])
    await client.admin.deleteRecords([
      { topic: orders, partition: 1, before: 'end' },
      { topic: orders, partition: 2, before: 3 },
    ])

    await using reader = client.reader({ topics: [orders] })
    await reader.ready()
    await Promise.all([lines(0, 5), lines(1, 5), lines(3, 5)])
    const read = await Array.fromAsync(reader, ({ partition, offset }) => `${partition}@${offset}`)
    assert.deepEqual(read.toSorted(), ['0@0', '0@1', '0@2', '0@3', '0@4', '2@3', '2@4'])
    assert.deepEqual(await Array.fromAsync(client.reader({ topics: [topic('nothing')] })), [])
  },
)
