import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  currentProducer,
  defineApp,
  defineConfig,
  defineConsumer,
  defineResponder,
  defineTopic,
  monitor,
  startWorker,
  stop,
  type Runnable,
} from '../../../packages/millrace/src/app/index.ts'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { deferred } from '../../../packages/millrace/src/kit/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { startTestApp, startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const users = defineTopic('users', {
  partitions: 2,
  retention: '7d',
  config: { 'max.message.bytes': 2_000_000 },
})

describe('a worker on the embedded broker', () => {
  it('handles what was sent, commits it, and sends what failed to the dead letter topic', async () => {
    const seen: unknown[] = []
    const consumer = defineConsumer({
      topic: users,
      group: 'accounts',
      backoff: '10ms',
      deadLetter: true,
      each({ value, partition, offset }) {
        seen.push(value)
        if (value === 'bad') throw new Error(`no such customer ${partition}@${offset}`)
      },
    })
    await using app = await startTestApp({
      clientId: 'shop',
      app: defineApp({ consumers: [consumer] }),
    })
    await app.send(users, { key: 'a', value: 'good' })
    const bad = await app.send(users, { key: 'a', value: 'bad' })
    await app.send(users, { key: 'a', value: 'behind' })
    await app.settled()
    assert.deepEqual(seen, ['good', 'bad', 'bad', 'bad', 'bad', 'behind'])
    const [letter, ...others] = await app.messages('users-dlt')
    assert.deepEqual(others, [])
    assert.equal(letter?.partition, bad.partition)
    assert.equal(letter?.raw?.toString(), '"bad"')
    assert.equal(letter?.headers['millrace-source-offset'], String(bad.offset))
  })

  it('creates what is declared, dead letter topics with as many partitions', async () => {
    const consumer = defineConsumer({ topic: users, deadLetter: true, each() {} })
    await using app = await startTestApp({ app: defineApp({ consumers: [consumer] }) })
    const described = await app.client.admin.describeTopics(['users', 'users-dlt'])
    assert.deepEqual(
      described.map(({ partitions }) => partitions.length),
      [2, 2],
    )
    const configs = await app.client.admin.describeConfigs({ topic: 'users' })
    const valueOf = (name: string): unknown => configs.find((one) => one.name === name)?.value
    assert.equal(valueOf('retention.ms'), '604800000')
    assert.equal(valueOf('max.message.bytes'), '2000000')
  })

  it('begins at its commit after a crash, and repeats what was not committed', async () => {
    const seen: number[] = []
    const one = defineTopic('one')
    const consumer = defineConsumer({
      topic: one,
      commit: { interval: '1h' },
      each: ({ offset }) => void seen.push(offset),
    })
    await using app = await startTestApp({ app: defineApp({ consumers: [consumer] }) })
    for (const value of [0, 1]) await app.send(one, { value })
    await app.settled()
    await app.send(one, { value: 2 })
    await until('the third was handled', () => seen.length === 3)
    await app.crash()
    await until('the third came again', () => seen.length === 4)
    assert.deepEqual(seen, [0, 1, 2, 2])
    assert.deepEqual(
      (await app.messages(one)).map(({ value }) => value),
      [0, 1, 2],
    )
  })

  it('finishes what it has and takes no more when it is told to be quiet', async () => {
    const one = defineTopic('one')
    const running = deferred()
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: one,
      maxMessages: 1,
      async each({ offset }) {
        await running.promise
        seen.push(offset)
      },
    })
    await using app = await startTestApp({ app: defineApp({ consumers: [consumer] }) })
    await app.send(one, { value: 0 })
    await until('it runs', () => app.worker.partitions[0]?.jobs.length === 1)
    await app.send(one, { value: 1 })
    const quiet = app.worker.quiet()
    running.resolve()
    await quiet
    assert.equal(app.worker.state, 'quiet')
    assert.deepEqual(seen, [0])
    assert.equal(app.worker.partitions.length, 1, 'it keeps its partition')
    assert.equal(await app.worker.stop(), 0)
  })

  it('ends with 1 when a handler says that the world is broken, and the message comes again', async () => {
    const one = defineTopic('one')
    let calls = 0
    const consumer = defineConsumer({
      topic: one,
      each() {
        calls++
        return calls === 1 ? stop('the disk is gone') : undefined
      },
    })
    await using app = await startTestApp({ app: defineApp({ consumers: [consumer] }) })
    await app.send(one, { value: 0 })
    assert.equal(await app.worker.done, 1)
    await app.crash()
    await app.settled()
    assert.equal(calls, 2)
  })

  it('opens before it connects and closes after its consumers, in one order', async () => {
    const order: string[] = []
    const one = defineTopic('one')
    const runnable: Runnable = {
      name: 'beside',
      start: async () => void order.push('runnable starts'),
      stop: async () => void order.push('runnable stops'),
      health: () => ({ isLive: true, isReady: true, reasons: [] }),
    }
    const consumer = defineConsumer({
      topic: one,
      each() {},
      hooks: {
        assigned: () => void order.push('assigned'),
        shutdown: () => void order.push('shutdown'),
        revoked: () => void order.push('revoked'),
      },
    })
    const app = await startTestApp(
      {
        app: defineApp({
          consumers: [consumer],
          hooks: {
            initialized: () => void order.push('initialized'),
            beforeStart: () => void order.push('before start'),
            beforeClose: () => void order.push('before close'),
          },
        }),
      },
      { runnables: [runnable] },
    )
    await app[Symbol.asyncDispose]()
    assert.deepEqual(order, [
      'initialized',
      'before start',
      'assigned',
      'runnable starts',
      'shutdown',
      'runnable stops',
      'before close',
    ])
  })

  it('is refused before anything is connected when something is wrong', async () => {
    const one = defineTopic('one')
    const consumer = defineConsumer({ topic: one, retries: 3, each() {} })
    await assert.rejects(startTestApp({ app: defineApp({ consumers: [consumer] }) }), {
      code: 'MR_CONFIG_INVALID',
      message: /nowhere to go/,
    })
  })

  it('shares its producer with responders of the process', async () => {
    const responder = defineResponder({
      topics: { users },
      respond: (name: string, to) => to('users', { name }, { key: name }),
    })
    await using app = await startTestApp(defineConfig({ app: defineApp({ topics: [users] }) }))
    assert.equal(currentProducer(), app.producer)
    assert.deepEqual(await responder.call('Ada'), {
      users: [['{"name":"Ada"}', { topic: 'users' }]],
    })
    const [message] = await app.messages(users)
    assert.deepEqual([message?.key, message?.value], ['Ada', { name: 'Ada' }])
  })
})

describe('two workers of one group', () => {
  it('never handle one message at the same time, and pass partitions on after the handler is done', async () => {
    const one = defineTopic('one', { partitions: 4 })
    const running = new Map<string, number>()
    const handled: string[] = []
    let overlaps = 0
    let most = 0
    const consumer = defineConsumer({
      topic: one,
      commit: { interval: '50ms' },
      async each({ partition, offset }) {
        const at = `${partition}/${offset}`
        const now = (running.get(at) ?? 0) + 1
        running.set(at, now)
        if (now > 1) overlaps++
        most = Math.max(most, running.size)
        await new Promise((resolve) => setTimeout(resolve, 5))
        running.delete(at)
        handled.push(at)
      },
    })
    const config = {
      app: defineApp({ consumers: [consumer] }),
      rebalance: { drain: '2s' },
      heartbeat: '200ms',
    }
    await using first = await startTestApp(config)
    const brokers = [first.broker?.address ?? '']
    const sending = (async () => {
      for (let index = 0; index < 400; index++)
        await first.producer.send(one, { partition: index % 4, value: index })
    })()
    for (let round = 0; round < 3; round++) {
      await using second = await startTestApp(config, { brokers })
      await until('the second has partitions', () => second.worker.partitions.length > 0)
    }
    await sending
    await first.settled()
    assert.equal(overlaps, 0)
    assert.equal(new Set(handled).size, 400)
    assert.equal(handled.length, 400, 'given back in good order, nothing comes twice')
    assert.ok(most > 1)
  })
})

describe('events', () => {
  it('tell each error once, with its coordinates and the original as cause', async () => {
    const one = defineTopic('one')
    const errors: { readonly type: string; readonly error: unknown }[] = []
    const unsubscribe = monitor.subscribe({ onError: (event) => errors.push(event) })
    const thrown = new Error('no')
    let calls = 0
    const consumer = defineConsumer({
      topic: one,
      name: 'picky',
      group: 'g',
      backoff: '10ms',
      each() {
        if (++calls === 1) throw thrown
      },
    })
    await using app = await startTestApp({ app: defineApp({ consumers: [consumer] }) })
    await app.send(one, { value: 0 })
    await app.settled()
    unsubscribe()
    assert.equal(errors.length, 1)
    const { type, error } = errors[0] as { type: string; error: Error & { context: object } }
    assert.equal(type, 'consumer')
    assert.equal(error.cause, thrown)
    assert.partialDeepStrictEqual(error.context, {
      group: 'g',
      consumer: 'picky',
      topic: 'one',
      partition: 0,
      offset: 0,
      attempt: 1,
    })
  })
})

describe('what stands beside a worker', () => {
  it('keeps it from neither committing nor leaving when it does not stop', async () => {
    const stuck = defineTopic('stuck')
    const consumer = defineConsumer({ topic: stuck, commit: { interval: '1h' }, each() {} })
    const runnable: Runnable = {
      name: 'beside',
      start: async () => undefined,
      stop: () => Promise.reject(new Error('it does not want to')),
      health: () => ({ isLive: true, isReady: true, reasons: [] }),
    }
    await using app = await startTestApp(
      { clientId: 'shop', app: defineApp({ consumers: [consumer] }) },
      { runnables: [runnable] },
    )
    await app.send(stuck, { value: 1 })
    await until('it was handled', () => app.worker.partitions[0]?.position === 1)
    assert.equal(await app.worker.stop(), 1)
    const [committed] = await app.client.admin.committedOffsets('shop_stuck')
    assert.equal(committed?.offset, 1)
    const [group] = await app.client.admin.describeGroups(['shop_stuck'])
    assert.deepEqual(group?.members, [])
  })

  it('leaves no timer of it behind when it does not start', async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length
    const topic = defineTopic('not-started')
    const consumer = defineConsumer({ topic, each() {} })
    const runnable: Runnable = {
      name: 'beside',
      start: () => Promise.reject(new Error('the port is taken')),
      stop: async () => undefined,
      health: () => ({ isLive: true, isReady: true, reasons: [] }),
    }
    await using broker = await startTestBroker()
    const before = timers()
    const config = defineConfig({
      brokers: [broker.address],
      app: defineApp({ consumers: [consumer] }),
    })
    const options = { signals: false, createTopics: true, env: {}, log: false as const }
    await assert.rejects(
      startWorker(config, { ...options, runnables: [runnable] }),
      /port is taken/,
    )
    await until('its timers are gone', () => timers() <= before)
  })

  it('is not started when the worker has to stop while it starts', async () => {
    const topic = defineTopic('stops-early')
    const consumer = defineConsumer({ topic, each: () => stop('it may not run here') })
    const stopping = deferred()
    const running: unknown[] = []
    const unsubscribe = [
      events.appState.subscribe(({ state }) => {
        if (state === 'stopping') stopping.resolve()
      }),
      events.appRunning.subscribe((fact) => void running.push(fact)),
    ]
    const started: string[] = []
    const beside = (name: string, start: () => Promise<unknown>): Runnable => ({
      name,
      start: async () => {
        started.push(name)
        await start()
      },
      stop: async () => undefined,
      health: () => ({ isLive: true, isReady: true, reasons: [] }),
    })
    await using broker = await startTestBroker({ topics: { 'stops-early': 1 } })
    await using client = openClient({ brokers: [broker.address] })
    await client.producer().send({ topic: 'stops-early', value: '1' })
    const config = defineConfig({
      brokers: [broker.address],
      app: defineApp({ consumers: [consumer] }),
    })
    const worker = await startWorker(config, {
      signals: false,
      env: {},
      log: false,
      runnables: [
        beside('first', () => stopping.promise),
        beside('second', () => Promise.resolve()),
      ],
    })
    assert.equal(await worker.done, 1)
    for (const end of unsubscribe) end()
    assert.deepEqual(started, ['first'])
    assert.deepEqual(running, [])
  })
})
