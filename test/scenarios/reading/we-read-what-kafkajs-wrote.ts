/** Whatever the codec, our reader gets the keys, values, repeated headers and times that kafkajs was given, in order. */
import assert from 'node:assert/strict'
import { compressionNames } from '../../../packages/millrace/src/protocol/index.ts'
import { kafkajsCompression, openKafkajs } from '../../harness/kafkajs.ts'
import { scenario } from '../../harness/scenario.ts'

const firstMs = Date.now() - 60_000
const each = 50

await scenario({ topics: { orders: {} } }, async ({ brokers, client, topic }) => {
  const producer = openKafkajs(brokers).producer({ allowAutoTopicCreation: false })
  await producer.connect()
  try {
    for (const codec of compressionNames) {
      await producer.send({
        topic: topic('orders'),
        compression: kafkajsCompression[codec],
        messages: Array.from({ length: each }, (_, index) => ({
          key: index % 3 === 0 ? null : `${codec} ${index}`,
          value: index % 7 === 0 ? null : `order ${index}; `.repeat(index),
          headers: { codec: [codec, 'again'] },
          timestamp: String(firstMs + index),
        })),
      })
    }
  } finally {
    await producer.disconnect()
  }
  const read = await Array.fromAsync(client.reader({ topics: [topic('orders')] }))
  assert.deepEqual(
    read.map(({ offset, key, value, headers, timestamp }) => ({
      offset,
      key: key?.toString() ?? null,
      value: value?.toString() ?? null,
      headers: headers.map(([name, content]) => [name, String(content)]),
      timestamp,
    })),
    compressionNames.flatMap((codec, round) =>
      Array.from({ length: each }, (_, index) => ({
        offset: round * each + index,
        key: index % 3 === 0 ? null : `${codec} ${index}`,
        value: index % 7 === 0 ? null : `order ${index}; `.repeat(index),
        headers: [
          ['codec', codec],
          ['codec', 'again'],
        ],
        timestamp: firstMs + index,
      })),
    ),
  )
})
