import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import {
  defineApp,
  defineConsumer,
  defineTopic,
  startWorker,
  type MillraceConfig,
  type Worker,
} from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { deferred } from '../../../packages/millrace/src/kit/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { startTestApp, startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const orders = defineTopic('orders', { partitions: 1 })
const health = { port: 0, lagInterval: '100ms' }

interface Answer {
  readonly status: number
  readonly body: {
    readonly status: string
    readonly reasons: readonly string[]
    readonly alarms: readonly string[]
    readonly partitions: readonly { readonly lag: number; readonly brokerLag?: number }[]
  }
}

async function ask(worker: Worker, path: string): Promise<Answer> {
  const response = await fetch(`http://${worker.healthAddress}${path}`)
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

describe('the health endpoint', () => {
  it('is off unless a port is set', async () => {
    const consumer = defineConsumer({ topic: orders, each() {} })
    await using app = await startTestApp({ app: defineApp({ consumers: [consumer] }) })
    assert.equal(app.worker.healthAddress, undefined)
    assert.equal(app.worker.health().isReady, true)
  })

  it('is live and ready while the worker runs, and shows lag as both sides know it', async () => {
    const gate = deferred()
    const began = deferred()
    const consumer = defineConsumer({
      topic: orders,
      async each({ value }) {
        if (value === 1) return
        began.resolve()
        await gate.promise
      },
    })
    await using app = await startTestApp({ health, app: defineApp({ consumers: [consumer] }) })
    await app.send(orders, { value: 1 })
    await app.settled()
    for (let sent = 0; sent < 5; sent++) await app.send(orders, { value: 'wait' })
    await began.promise
    assert.equal((await ask(app.worker, '/healthz')).status, 200)
    const { status, body } = await ask(app.worker, '/readyz')
    assert.equal(status, 200)
    assert.equal(body.status, 'ok')
    const lags = async (): Promise<unknown> => (await ask(app.worker, '/readyz')).body.partitions[0]
    await until(
      'both lags are five',
      async () => {
        const [row] = (await ask(app.worker, '/readyz')).body.partitions
        return row?.lag === 5 && row.brokerLag === 5
      },
      { lastSeen: lags },
    )
    gate.resolve()
    await app.settled()
  })

  it('knows by the brokers what a paused partition does not see', async () => {
    const paused = deferred()
    const consumer = defineConsumer({
      topic: orders,
      commit: { every: 1 },
      each(_message, { pause }) {
        pause()
        paused.resolve()
      },
    })
    await using app = await startTestApp({ health, app: defineApp({ consumers: [consumer] }) })
    await app.send(orders, { value: 1 })
    await paused.promise
    await app.worker.commit()
    for (let sent = 0; sent < 3; sent++) await app.send(orders, { value: 2 })
    await until('the brokers were asked', async () => {
      const [row] = (await ask(app.worker, '/readyz')).body.partitions
      return row?.brokerLag === 3
    })
    assert.equal((await ask(app.worker, '/healthz')).status, 200, 'a pause is nobody’s fault')
  })

  it('answers before the brokers do: live, and not ready', async () => {
    const broker = await startTestBroker()
    const { address, port } = broker
    await broker.stop()
    const consumer = defineConsumer({ topic: orders, each() {} })
    const config: MillraceConfig = {
      brokers: [address],
      health,
      worker: { startTimeout: '100ms' },
      app: defineApp({ consumers: [consumer] }),
    }
    await using worker = await startWorker(config, { signals: false, env: {}, log: false })
    await until('the worker has noticed', () => worker.health().notReady.length > 1)
    const ready = await ask(worker, '/readyz')
    assert.equal(ready.status, 503)
    assert.match(ready.body.reasons.join('; '), /the cluster main has been unreachable for/)
    assert.equal((await ask(worker, '/healthz')).status, 200)
    await using _again = await startTestBroker({ port, topics: { orders: 1 } })
    await until('it is ready', async () => (await ask(worker, '/readyz')).status === 200)
    await worker.stop()
  })

  it('is not live while a handler runs longer than slowAfter', async () => {
    const gate = deferred()
    const consumer = defineConsumer({
      topic: orders,
      slowAfter: '1s',
      each: () => gate.promise,
    })
    await using app = await startTestApp({ health, app: defineApp({ consumers: [consumer] }) })
    await app.send(orders, { value: 1 })
    await until('it says so', async () => (await ask(app.worker, '/healthz')).status === 503)
    const { body } = await ask(app.worker, '/healthz')
    assert.match(body.reasons.join('; '), /^orders orders\/0:0 has been running for /)
    gate.resolve()
    await until('it is live', async () => (await ask(app.worker, '/healthz')).status === 200)
  })

  it('lists a blocked partition as an alarm and stays live and ready', async () => {
    const consumer = defineConsumer({
      topic: orders,
      retries: 0,
      exhausted: 'block',
      each() {
        throw new Error('no')
      },
    })
    await using app = await startTestApp({ health, app: defineApp({ consumers: [consumer] }) })
    await app.send(orders, { value: 1 })
    await until('it is blocked', () => app.worker.health().alarms.length > 0)
    const { status, body } = await ask(app.worker, '/readyz')
    assert.equal(status, 200)
    assert.match(body.alarms.join(), /^orders\/0 is blocked: /)
    assert.equal((await ask(app.worker, '/healthz')).status, 200)
  })

  it('says which port is taken, before anything is joined', async () => {
    await using app = await startTestApp({ health, app: defineApp({}) })
    const port = Number(app.worker.healthAddress?.split(':').at(-1))
    const config = { brokers: app.client === undefined ? [] : ['127.0.0.1:1'], health: { port } }
    await assert.rejects(
      startWorker(config, { signals: false, env: {}, log: false }),
      (error: unknown) =>
        isFailure(error, 'MR_HEALTH_LISTEN') && error.message.includes(String(port)),
    )
  })

  it('survives whatever is sent to it', async () => {
    await using app = await startTestApp({ health, app: defineApp({}) })
    const [host, port] = (app.worker.healthAddress ?? '').split(':')
    const errors: unknown[] = []
    const unsubscribe = events.error.subscribe((error) => errors.push(error))
    const say = async (bytes: Buffer): Promise<string> => {
      const socket = connect(Number(port), host)
      let heard = ''
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
      socket.on('error', () => undefined)
      socket.end(bytes)
      await once(socket, 'close')
      return heard
    }
    const line = (text: string): Buffer => Buffer.from(`${text}\r\nhost: a\r\n\r\n`)
    assert.match(await say(line('POST /healthz HTTP/1.1')), /^HTTP\/1.1 405 /)
    assert.match(await say(line('GET /__proto__ HTTP/1.1')), /^HTTP\/1.1 404 /)
    assert.match(await say(line('GET /healthz?x=1 HTTP/1.1')), /^HTTP\/1.1 200 /)
    assert.match(await say(line('GET http://other/healthz HTTP/1.1')), /^HTTP\/1.1 404 /)
    const head = await say(line('HEAD /readyz HTTP/1.1'))
    assert.match(head, /^HTTP\/1.1 200 /)
    assert.equal(head.split('\r\n\r\n')[1], '')
    assert.match(await say(Buffer.from('\x16\x03\x01 not http\r\n\r\n')), /^HTTP\/1.1 400 /)
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom('GET ', '/healthz', ' HTTP/1.1', '\r\n', 'content-length: 9', ':', '\0'),
        fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      ),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(pieces, async (parts) => {
        const heard = await say(Buffer.from(parts.join(''), 'latin1'))
        assert.ok(heard === '' || heard.startsWith('HTTP/1.1 '), heard)
        assert.ok(!heard.includes('    at '), 'no stack')
      }),
      { numRuns: 150 },
    )
    assert.equal((await ask(app.worker, '/healthz')).status, 200)
    assert.deepEqual(errors, [])
    unsubscribe()
  })
})
