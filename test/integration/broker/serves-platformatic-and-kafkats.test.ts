import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KafkaClient } from '@kafkats/client'
import {
  Admin,
  Consumer,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from './until.ts'

describe('@platformatic/kafka', () => {
  it('produces, reads in a group, commits and administers', async () => {
    await using broker = await startTestBroker()
    const bootstrapBrokers = [broker.address]
    const admin = new Admin({ clientId: 'peer', bootstrapBrokers })
    await admin.createTopics({ topics: ['orders'], partitions: 2, replicas: 1 })
    const producer = new Producer({
      clientId: 'peer',
      bootstrapBrokers,
      serializers: stringSerializers,
      idempotent: true,
    })
    await producer.send({
      messages: Array.from({ length: 50 }, (_, index) => ({
        topic: 'orders',
        key: `k${index}`,
        value: `v${index}`,
      })),
      acks: -1,
    })
    const consumer = new Consumer({
      clientId: 'peer',
      bootstrapBrokers,
      groupId: 'readers',
      deserializers: stringDeserializers,
      maxWaitTime: 100,
    })
    const stream = await consumer.consume({
      topics: ['orders'],
      mode: MessagesStreamModes.EARLIEST,
      autocommit: false,
    })
    const seen = new Set<string>()
    for await (const message of stream) {
      seen.add(message.value)
      await message.commit()
      if (seen.size === 50) break
    }
    assert.equal(seen.size, 50)
    await consumer.close(true)
    await Promise.all([producer.close(), admin.close()])
  })
})

describe('@kafkats/client', () => {
  it('produces and reads in a group', async () => {
    await using broker = await startTestBroker({ topics: { orders: 3 } })
    const client = new KafkaClient({ brokers: [broker.address], clientId: 'peer' })
    await client.connect()
    const producer = client.producer()
    await producer.send(
      'orders',
      Array.from({ length: 50 }, (_, index) => ({
        key: `k${index}`,
        value: Buffer.from(`v${index}`),
      })),
    )
    const consumer = client.consumer({
      groupId: 'readers',
      autoOffsetReset: 'earliest',
      maxWaitMs: 100,
    })
    const seen = new Set<string>()
    const running = consumer.runEach('orders', async (message) => {
      seen.add(String(message.value))
    })
    await until('all 50 came', () => seen.size === 50)
    consumer.stop()
    await running
    await producer.disconnect()
    await client.disconnect()
  })
})
