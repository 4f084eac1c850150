import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  defineApp,
  defineConfig,
  defineConsumer,
  defineTopic,
  redrive,
  type RedriveProgress,
} from '../../../packages/millrace/src/app/index.ts'
import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { manualClock } from '../../../packages/millrace/src/kit/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

async function fill(client: Client, from: string, source: string, count: number): Promise<void> {
  await using producer = client.producer()
  await producer.sendMany(
    Array.from({ length: count }, (_, index) => ({
      topic: from,
      partition: index % 2,
      value: String(index),
      headers: [
        ['millrace-source-topic', source],
        ['millrace-source-partition', String(index % 2)],
        ['millrace-group', 'mail'],
      ] as const,
    })),
  )
}

async function valuesIn(client: Client, topic: string): Promise<readonly number[]> {
  const values: number[] = []
  await using reader = client.reader({ topics: [topic] })
  for await (const { value } of reader) values.push(Number(value))
  return values.toSorted((left, right) => left - right)
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at)

describe('a redrive', { concurrency: true }, () => {
  it('that is cancelled ends with its batch, and goes on later', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2, 'orders-dlt': 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client, 'orders-dlt', 'orders', 60)
    const cancel = new AbortController()
    const first = await redrive(client, {
      from: 'orders-dlt',
      rate: 10,
      signal: cancel.signal,
      onProgress: () => cancel.abort(),
    })
    assert.equal(first.isComplete, false)
    assert.equal(first.sent, 10)
    const second = await redrive(client, { from: 'orders-dlt' })
    assert.deepEqual([second.isComplete, second.sent, second.job], [true, 50, first.job])
    assert.deepEqual(await valuesIn(client, 'orders'), upTo(60), 'each of them once')
  })

  it('keeps to its rate', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2, 'orders-dlt': 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client, 'orders-dlt', 'orders', 60)
    const clock = manualClock()
    const seen: (readonly [second: number, sent: number])[] = []
    const start = clock.now()
    const onProgress = ({ sent }: RedriveProgress): void =>
      void seen.push([(clock.now() - start) / 1000, sent])
    let isDone = false
    const done = redrive(client, { from: 'orders-dlt', rate: 10, clock, onProgress })
    void done.finally(() => (isDone = true))
    await until(
      'it has ended',
      () => {
        if (clock.waiting > 0) clock.advance(500)
        return isDone
      },
      { lastSeen: () => seen },
    )
    assert.equal((await done).sent, 60)
    for (const [second, sent] of seen) assert.ok(sent <= (second + 1) * 10, `${sent} at ${second}`)
  })

  it('stops where a copy is refused, records nothing of it, and goes on there', async () => {
    await using broker = await startTestBroker({
      topics: {
        orders: { partitions: 2, configs: { 'max.message.bytes': '1' } },
        'orders-dlt': 2,
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client, 'orders-dlt', 'orders', 4)
    await assert.rejects(redrive(client, { from: 'orders-dlt' }), {
      code: 'MR_APP_REDRIVE_STOPPED',
      message: /stopped at orders-dlt\/0@0, after 0 messages/,
    })
    const resource = { topic: 'orders', set: { 'max.message.bytes': '1000000' } }
    await client.admin.alterConfigs([resource])
    assert.equal((await redrive(client, { from: 'orders-dlt' })).sent, 4)
    assert.deepEqual(await valuesIn(client, 'orders'), upTo(4))
  })

  it('by a configuration takes the names of the application', async () => {
    await using broker = await startTestBroker({ topics: { 'eu.orders': 2, 'eu.orders-dlt': 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client, 'eu.orders-dlt', 'eu.orders', 2)
    const config = defineConfig({
      brokers: [broker.address],
      topicName: (name) => `eu.${name}`,
      app: defineApp({
        consumers: [
          defineConsumer({ topic: defineTopic('orders'), deadLetter: true, each: () => undefined }),
        ],
      }),
    })
    const report = await redrive(config, { from: 'orders-dlt' })
    assert.equal(report.sent, 2)
    assert.deepEqual(report.byTarget, [{ topic: 'eu.orders', count: 2 }])
    assert.deepEqual(await valuesIn(client, 'eu.orders'), upTo(2))
  })

  it('refuses options that make no sense', async () => {
    await using broker = await startTestBroker({ topics: { 'orders-dlt': 1 } })
    await using client = openClient({ brokers: [broker.address] })
    const from = 'orders-dlt'
    await assert.rejects(redrive(client, { from, to: from }), { code: 'MR_APP_REDRIVE_OPTIONS' })
    await assert.rejects(redrive(client, { from, rate: 0 }), { code: 'MR_APP_REDRIVE_OPTIONS' })
    await assert.rejects(redrive(client, { from: 'nowhere' }), { code: 'MR_TOPIC_UNKNOWN' })
  })
})
