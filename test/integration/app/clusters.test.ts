import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  defineApp,
  defineConsumer,
  defineResponder,
  defineTopic,
  openProducer,
  startWorker,
  type MillraceConfig,
  type RunnableContext,
} from '../../../packages/millrace/src/app/index.ts'
import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const orders = defineTopic('orders', { partitions: 2 })
const trail = defineTopic('trail', { partitions: 3, cluster: 'audit' })

interface Two extends AsyncDisposable {
  readonly config: (more: Partial<MillraceConfig>) => MillraceConfig
  readonly main: Client
  readonly audit: Client
}

async function twoClusters(): Promise<Two> {
  await using stack = new AsyncDisposableStack()
  const one = stack.use(await startTestBroker())
  const other = stack.use(await startTestBroker())
  const main = stack.use(openClient({ brokers: [one.address] }))
  const audit = stack.use(openClient({ brokers: [other.address] }))
  const owned = stack.move()
  return {
    config: (more) => ({
      brokers: [one.address],
      clusters: { audit: { brokers: [other.address] } },
      clientId: 'shop',
      fetch: { maxWait: '50ms' },
      ...more,
    }),
    main,
    audit,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const namesOn = async (client: Client): Promise<readonly string[]> =>
  (await client.admin.describeTopics()).flatMap(({ name, isInternal }) =>
    isInternal ? [] : [name],
  )

const quiet = { signals: false, env: {}, log: false, createTopics: true } as const

describe('an app on two clusters', () => {
  it('sends each message to the cluster of its topic, whatever it is sent with', async () => {
    await using two = await twoClusters()
    await two.main.admin.createTopics([{ name: 'orders', partitions: 1 }])
    await two.audit.admin.createTopics([{ name: 'trail', partitions: 1 }])
    await using producer = openProducer(two.config({ app: defineApp({ topics: [orders, trail] }) }))
    await producer.send(orders, { value: 'sent' })
    await producer.send('trail', { value: 'sent by name' })
    await producer.sendMany([
      { topic: trail, message: { value: 'many' } },
      { topic: orders, message: { value: 'many' } },
    ])
    producer.enqueue(trail, { value: 'enqueued' })
    const buffer = producer.buffer()
    buffer.add(trail, { value: 'buffered' })
    buffer.add(orders, { value: 'buffered' })
    await buffer.deliver()
    const respond = defineResponder({
      topics: { trail },
      respond: (data: string, to) => to('trail', data),
    })
    await respond.call('responded', { send: producer.send })
    await producer.flush()
    const read = async (client: Client, topic: string): Promise<string[]> => {
      const seen: string[] = []
      for await (const { value } of client.reader({ topics: [topic] })) seen.push(String(value))
      return seen.toSorted()
    }
    assert.deepEqual(await read(two.main, 'orders'), ['"buffered"', '"many"', '"sent"'])
    assert.deepEqual(await read(two.audit, 'trail'), [
      '"buffered"',
      '"enqueued"',
      '"many"',
      'responded',
      'sent by name',
    ])
    assert.deepEqual(await namesOn(two.main), ['orders'])
    assert.deepEqual(await namesOn(two.audit), ['trail'])
  })

  it('is a member where its topics are, commits and dead-letters there, and creates topics there', async () => {
    await using two = await twoClusters()
    const seen: string[] = []
    const both = defineConsumer({
      topic: [orders, trail],
      group: 'both',
      retries: 0,
      deadLetter: true,
      async each({ topic, value }, { send }) {
        seen.push(`${topic} ${String(value)}`)
        if (value === 'bad') throw new Error('no')
        if (topic === 'orders') await send(trail, { value: `seen ${String(value)}`, partition: 2 })
      },
    })
    let beside: RunnableContext | undefined
    const app = defineApp({
      consumers: [both],
      runnables: [
        {
          name: 'beside',
          start: (context) => Promise.resolve(void (beside = context)),
          stop: () => Promise.resolve(),
          health: () => ({ isLive: true, isReady: true, reasons: [] }),
        },
      ],
    })
    const worker = await startWorker(two.config({ app }), quiet)
    assert.deepEqual(beside?.clients.all.size, 2)
    await worker.producer.send(orders, { value: 'good', partition: 0 })
    await worker.producer.send(trail, { value: 'bad', partition: 1 })
    await until('all were handled', () => seen.length === 3, { lastSeen: () => seen })
    assert.deepEqual(seen.toSorted(), ['orders good', 'trail bad', 'trail seen good'])
    assert.equal(await worker.stop(), 0)

    assert.deepEqual((await namesOn(two.main)).toSorted(), ['orders', 'orders-dlt'])
    assert.deepEqual((await namesOn(two.audit)).toSorted(), ['trail', 'trail-dlt'])
    const [letters] = await two.audit.admin.describeTopics(['trail-dlt'])
    assert.equal(letters?.partitions.length, 3)
    const committed = async (client: Client): Promise<string[]> =>
      (await client.admin.committedOffsets('shop_both'))
        .filter(({ offset }) => offset > 0)
        .map(({ topic, partition, offset }) => `${topic}/${partition}@${offset}`)
        .toSorted()
    assert.deepEqual(await committed(two.main), ['orders/0@1'])
    assert.deepEqual(await committed(two.audit), ['trail/1@1', 'trail/2@1'])
  })

  it('may run all of it on one cluster', async () => {
    await using two = await twoClusters()
    const consumer = defineConsumer({ topic: trail, each() {} })
    const config = two.config({ app: defineApp({ topics: [orders], consumers: [consumer] }) })
    await using _worker = await startWorker(config, { ...quiet, isSingleCluster: true })
    assert.deepEqual((await namesOn(two.main)).toSorted(), ['orders', 'trail'])
    assert.deepEqual(await namesOn(two.audit), [])
  })
})
