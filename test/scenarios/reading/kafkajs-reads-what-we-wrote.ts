/** Whatever the codec, kafkajs gets the keys, values, headers and times that our producer was given, in order. */
import assert from 'node:assert/strict'
import { compressionNames } from '../../../packages/millrace/src/protocol/index.ts'
import { openKafkajs } from '../../harness/kafkajs.ts'
import { scenario } from '../../harness/scenario.ts'

const firstMs = Date.now() - 60_000
const each = 50

await scenario({ topics: { orders: {} } }, async ({ brokers, client, topic, group, until }) => {
  for (const compression of compressionNames) {
    const producer = client.producer({ compression })
    await producer.sendMany(
      Array.from({ length: each }, (_, index) => ({
        topic: topic('orders'),
        key: index % 3 === 0 ? null : `${compression} ${index}`,
        value: index % 7 === 0 ? null : `order ${index}; `.repeat(index),
        headers: [['codec', compression]],
        timestamp: firstMs + index,
      })),
    )
  }
  const consumer = openKafkajs(brokers).consumer({
    groupId: group('peer'),
    maxWaitTimeInMs: 100,
  })
  const seen: unknown[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic: topic('orders'), fromBeginning: true })
    await consumer.run({
      eachMessage({ message: { offset, key, value, headers, timestamp } }) {
        seen.push({
          offset: Number(offset),
          key: key?.toString() ?? null,
          value: value?.toString() ?? null,
          codec: String(headers?.['codec']),
          timestamp: Number(timestamp),
        })
        return Promise.resolve()
      },
    })
    await until('kafkajs has read all', () => seen.length >= compressionNames.length * each, {
      lastSeen: () => seen.length,
    })
  } finally {
    await consumer.disconnect()
  }
  const expected = compressionNames.flatMap((codec, round) =>
    Array.from({ length: each }, (_, index) => ({
      offset: round * each + index,
      key: index % 3 === 0 ? null : `${codec} ${index}`,
      value: index % 7 === 0 ? null : `order ${index}; `.repeat(index),
      codec,
      timestamp: firstMs + index,
    })),
  )
  assert.deepEqual(seen, expected)
})
