import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  defineApp,
  defineConsumer,
  defineTopic,
  startWorker,
  type MillraceConfig,
} from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { keptLog } from '../../harness/app.ts'
import { until } from '../../harness/until.ts'

const orders = defineTopic('orders', { partitions: 3, retention: '3d' })
const missing = defineTopic('missing')
const consumer = defineConsumer({ topic: orders, each() {} })

const configOf = (address: string, more: MillraceConfig): MillraceConfig => ({
  brokers: [address],
  app: defineApp({ topics: [missing], consumers: [consumer] }),
  ...more,
})
const expected =
  /orders has 2 partitions, declared are 3; orders has retention\.ms=\d*, declared is 259200000; missing is missing|missing is missing; orders has 2 partitions, declared are 3; orders has retention\.ms=\d*, declared is 259200000/

describe('what is declared and what the cluster has', () => {
  it('is compared at start, and told as a warning', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    const log = keptLog()
    const options = { signals: false, env: {}, log: log.logger }
    await using _worker = await startWorker(configOf(broker.address, {}), options)
    await until(
      'it is told',
      () => log.lines.some(({ level, text }) => level === 'warn' && expected.test(text)),
      { lastSeen: () => log.lines },
    )
  })

  it('may be required to be the same: then nothing joins', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    const options = { signals: false, env: {}, log: false } as const
    const config = configOf(broker.address, { declared: 'require' })
    await assert.rejects(
      startWorker(config, options),
      (error: unknown) => isFailure(error, 'MR_TOPICS_DIFFER') && expected.test(error.message),
    )
    // Created where that is allowed, it is the same.
    await using other = await startTestBroker()
    const same = configOf(other.address, { declared: 'require' })
    await using worker = await startWorker(same, { ...options, createTopics: true })
    assert.equal(worker.state, 'running')
  })

  it('is not looked at when that is off', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    const log = keptLog()
    const options = { signals: false, env: {}, log: log.logger }
    const worker = await startWorker(configOf(broker.address, { declared: 'off' }), options)
    await worker.producer.send(orders, { value: 1 })
    await until('it works', () => worker.partitions.some(({ position }) => position === 1))
    await worker.stop()
    assert.ok(!log.lines.some(({ text }) => text.includes('declared')))
  })
})
