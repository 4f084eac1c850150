import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  defineApp,
  defineConfig,
  defineConsumer,
  defineTopic,
} from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { deferred } from '../../../packages/millrace/src/kit/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import {
  startTestApp,
  watchInvariants,
  type TestAppOptions,
} from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const orders = defineTopic('orders', { partitions: 4 })
const invoices = defineTopic('invoices')

const config = defineConfig({
  clientId: 'shop',
  app: defineApp({
    topics: [invoices],
    consumers: [
      defineConsumer({
        topic: orders,
        group: 'billing',
        backoff: '10ms',
        deadLetter: true,
        async each({ value }, { send, attempt }) {
          if (value === 'flaky' && attempt < 3) throw new Error('no answer')
          if (value === 'bad') throw new Error('never')
          await send(invoices, { value })
        },
      }),
      defineConsumer({
        topic: orders,
        group: 'stock',
        concurrency: 4,
        backoff: '10ms',
        async each({ value, offset }, { attempt }) {
          if (value === 'flaky' && attempt < 3) throw new Error('no stock')
          await new Promise((resolve) => setTimeout(resolve, (offset * 7) % 5))
        },
      }),
    ],
  }),
})

const engines: readonly (TestAppOptions & { readonly name: string; readonly skip: boolean })[] = [
  { name: 'the embedded broker', engine: 'embedded', skip: false },
  { name: 'the Kafka at KAFKA_URL', engine: 'kafka', skip: !process.env['KAFKA_URL'] },
]

for (const { name, skip, ...options } of engines) {
  describe(`an app under test on ${name}`, { skip: skip && 'KAFKA_URL is not set' }, () => {
    it('goes through a crash and a rebalance with everything promised kept', async () => {
      await using app = await startTestApp(config, options)
      await using watch = watchInvariants(app)
      const round = async (label: string): Promise<void> => {
        for (let key = 0; key < 12; key++)
          await app.send(orders, { key: String(key), value: `${label}${key}` })
      }
      await round('a')
      await app.send(orders, { key: '1', value: 'flaky' })
      await app.send(orders, { key: '2', value: 'bad' })
      await app.settled()
      await app.crash()
      await round('b')
      await app.settled()
      await app.rebalance()
      await round('c')
      await app.settled()
      const values = (await app.messages(invoices)).map(({ value }) => value)
      assert.equal(new Set(values).size, 37)
      const [letter, ...others] = await app.messages('orders-dlt')
      assert.equal(letter?.value, '"bad"')
      assert.deepEqual(others, [])
      assert.deepEqual(watch.violations, [])
    })
  })
}

describe('an app under test', () => {
  it('is told what its broker has, and has not, answered', async () => {
    await using app = await startTestApp(config)
    await using watch = watchInvariants(app)
    using lost = app.broker.fail('offsetCommit', { close: 'after', times: 1 })
    await app.send(orders, { value: 'one' })
    await app.settled()
    assert.equal(lost.hits, 1)
    const paused = app.pauseBroker()
    const sending = app.send(orders, { value: 'two' })
    await until('it is under way', () => app.producer !== undefined)
    paused.resume()
    await sending
    await app.settled()
    assert.deepEqual(watch.violations, [])
  })

  it('names what keeps it from settling', async () => {
    const never = deferred()
    const slow = defineConsumer({ topic: orders, group: 'slow', each: () => never.promise })
    await using app = await startTestApp({ app: defineApp({ consumers: [slow] }) })
    await app.send(orders, { partition: 2, value: 'one' })
    await assert.rejects(app.settled({ timeout: 300 }), (error) => {
      assert.ok(isFailure(error, 'MR_TEST_NOT_SETTLED'))
      assert.match(error.message, /millrace_slow orders\/2: (none|0) of 1/)
      assert.match(error.message, /slow orders\/2: orders orders\/2:0 for 0 s/)
      return true
    })
    never.resolve()
  })

  it('says that a shared Kafka can be neither paused nor failed, and wants its address', async () => {
    const before = process.env['KAFKA_URL']
    delete process.env['KAFKA_URL']
    await assert.rejects(startTestApp(config, { engine: 'kafka' }), (error) =>
      isFailure(error, 'MR_TEST_NO_KAFKA'),
    )
    if (before !== undefined) process.env['KAFKA_URL'] = before
    await using first = await startTestApp(config)
    await using second = await startTestApp(config, { brokers: first.brokers })
    assert.throws(
      () => second.pauseBroker(),
      (error) => isFailure(error, 'MR_TEST_EMBEDDED_ONLY'),
    )
  })

  it('fails a test whose app breaks a promise', async () => {
    const planted = defineConsumer({
      topic: orders,
      group: 'planted',
      each({ partition, offset }) {
        // A commit that passes the message in hand, as a wrong worker would make it.
        events.offsetsCommitted.publish({
          clientId: 'millrace',
          groupId: 'millrace_planted',
          memberId: '',
          generation: 1,
          offsets: [{ topic: 'orders', partition, offset: offset + 1 }],
          latencyMs: 0,
        })
      },
    })
    await using app = await startTestApp({ app: defineApp({ consumers: [planted] }) })
    const watch = watchInvariants(app)
    await app.send(orders, { partition: 1, value: 'one' })
    await app.settled()
    await assert.rejects(watch.check(), (error) => {
      assert.ok(isFailure(error, 'MR_TEST_INVARIANT_BROKEN'))
      assert.match(
        error.message,
        /1: millrace_planted orders\/1: 1 was committed, and message 0 is not finished/,
      )
      return true
    })
  })

  it('does not hear what another app of the process does', async () => {
    await using first = await startTestApp(config)
    await using second = await startTestApp(config)
    await using one = watchInvariants(first)
    await using two = watchInvariants(second)
    await Promise.all([first, second].map((app) => app.send(orders, { partition: 0, value: 1 })))
    await Promise.all([first.settled(), second.settled()])
    assert.deepEqual([...one.violations, ...two.violations], [])
  })
})
