/** What our producer compresses with each codec, our reader and kafkajs read. */
import assert from 'node:assert/strict'
import { compressionNames } from '../../../packages/millrace/src/protocol/index.ts'
import { scenario } from '../../harness/scenario.ts'

const values = Array.from({ length: 300 }, (_, index) => `order ${index % 9}; `.repeat(index % 40))

await scenario({ topics: { orders: {} } }, async ({ client, topic, log }) => {
  for (const compression of compressionNames) {
    const producer = client.producer({ compression })
    const results = await Promise.all(
      values.map((value) => producer.send({ topic: topic('orders'), key: compression, value })),
    )
    const read: string[] = []
    for await (const message of client.reader({
      partitions: [{ topic: topic('orders'), partition: 0 }],
      from: results[0]?.offset ?? 0,
    })) {
      assert.equal(String(message.key), compression)
      read.push(String(message.value))
    }
    assert.deepEqual(read, values, compression)
    await producer.close()
  }
  assert.equal((await log('orders')).records.length, compressionNames.length * values.length)
})
