import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { z } from 'zod'

import type { OutgoingMessage, Producer, ProducerOptions, SendResult } from '../../client/index.ts'
import { isFailure } from '../../errors/index.ts'
import { deferred, manualClock, uuidSource } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Middleware } from '../middleware/middleware.ts'
import { defineTopic } from '../topic/define-topic.ts'
import { makeAppProducer, type OwnProducer } from './app-producer.ts'

const users = defineTopic('users', { value: z.object({ id: z.string() }), tombstones: true })

interface Opened {
  readonly options: ProducerOptions
  readonly sent: OutgoingMessage[]
}

interface Rig {
  readonly producer: OwnProducer
  readonly opened: Opened[]
  readonly clock: ReturnType<typeof manualClock>
  readonly sent: () => readonly OutgoingMessage[]
  readonly values: () => readonly string[]
  readonly undelivered: string[]
}

interface Wanted {
  readonly middleware?: readonly Middleware[]
  readonly ids?: boolean
  readonly answer?: () => Promise<void>
  readonly acks?: -1 | 0 | 1
}

const rig = ({ middleware = [], ids = true, answer, acks = -1 }: Wanted = {}): Rig => {
  const opened: Opened[] = []
  const undelivered: string[] = []
  const clock = manualClock()
  const send = async (sent: OutgoingMessage[], message: OutgoingMessage): Promise<SendResult> => {
    const offset = sent.push(message) - 1
    await answer?.()
    return { topic: message.topic, partition: 0, offset, timestamp: 0 }
  }
  const client = {
    producer(options: ProducerOptions = {}): Producer {
      const sent: OutgoingMessage[] = []
      opened.push({ options, sent })
      return {
        send: (message) => send(sent, message),
        sendMany: () => Promise.reject(new Error('nobody calls it')),
        post: () => assert.fail('nobody calls it'),
        flush: () => Promise.resolve(),
        close: () => Promise.resolve(),
        buffered: { messages: 0, bytes: 0 },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }
    },
  }
  const producer = makeAppProducer({
    client,
    clock,
    producer: {
      acks,
      compression: 'none',
      maxBlockMs: 10_000,
      deliveryTimeoutMs: 120_000,
      maxMessageBytes: 1000,
    },
    background: {
      threshold: 100,
      intervalMs: 1000,
      queueLimit: 1000,
      onUndelivered: ({ value }, error) =>
        undelivered.push(`${String(value)} ${isFailure(error) ? error.code : String(error)}`),
    },
    middleware,
    wireName: (name) => `x.${name}`,
    nextId: ids ? uuidSource(clock) : undefined,
  })
  const sent = (): readonly OutgoingMessage[] => opened.flatMap((one) => one.sent)
  return {
    producer,
    opened,
    clock,
    sent,
    values: () => sent().map(({ value }) => String(value)),
    undelivered,
  }
}

describe('the producer of an application', () => {
  it('gives each message an id of its own, and leaves one that is there', async () => {
    const { producer, sent } = rig()
    await producer.send(users, { key: '1', value: { id: '1' } })
    await producer.send(users, { key: '1', value: { id: '1' }, headers: { 'millrace-id': 'own' } })
    await producer.sendMany([{ topic: users, message: { value: { id: '2' } } }])
    producer.enqueue('plain', { value: 'text', headers: [['a', 'b']] })
    await producer.tombstone(users, '1')
    const buffer = producer.buffer()
    buffer.add(users, { value: { id: '3' } })
    await buffer.deliver()
    await producer.flush()
    const ids = sent().map(({ headers = [] }) => headers.find(([name]) => name === 'millrace-id'))
    assert.equal(ids.length, 6)
    assert.equal(ids.filter((id) => id?.[1] === 'own').length, 1)
    assert.equal(new Set(ids.map((id) => String(id?.[1]))).size, 6)
    const { headers } = sent().find(({ value }) => value === 'text') as OutgoingMessage
    assert.deepEqual(
      headers?.map(([name]) => name),
      ['a', 'millrace-id'],
    )
  })

  it('gives none when told so, nor to bytes that the framework sends', async () => {
    const silent = rig({ ids: false })
    await silent.producer.send(users, { value: { id: '1' } })
    assert.equal(silent.sent()[0]?.headers, undefined)
    const { producer, sent } = rig()
    await producer.sendRaw({ topic: 'x.t', value: 'bytes' })
    assert.deepEqual(sent(), [{ topic: 'x.t', value: 'bytes' }])
  })

  it('writes headers of text, bytes, lists and nothing', async () => {
    const { producer, sent } = rig({ ids: false })
    const raw = new Uint8Array([1, 2])
    await producer.send('t', { value: raw, headers: { a: 'x', b: raw, c: ['1', '2'], d: null } })
    assert.deepEqual(sent()[0]?.headers, [
      ['a', 'x'],
      ['b', Buffer.from(raw)],
      ['c', '1'],
      ['c', '2'],
      ['d', null],
    ])
    assert.deepEqual(sent()[0]?.value, Buffer.from(raw))
  })

  it('takes other settings on the same client, one producer for each set', async () => {
    const { producer, opened } = rig()
    const quick = producer.with({ acks: 1, compression: 'lz4', timeout: '2s' })
    await quick.send('t', { value: '1' })
    await producer.with({ acks: '1', compression: 'lz4', timeout: 2000 }).send('t', { value: '2' })
    quick.enqueue('t', { value: '3' })
    await quick.with({ compression: 'none' }).send('t', { value: '4' })
    await producer.send('t', { value: '5' })
    await producer.flush()
    assert.deepEqual(
      opened.map(({ options, sent }) => [
        `${options.acks} ${options.compression} ${options.deliveryTimeoutMs} ${options.maxBlockMs}`,
        sent.map(({ value }) => value),
      ]),
      [
        ['-1 none 120000 10000', ['5']],
        ['1 lz4 2000 2000', ['1', '2']],
        ['1 none 2000 2000', ['4']],
        ['1 lz4 2000 2000', ['3']],
      ],
    )
    assert.throws(
      () => producer.with({ timeout: 'soon', acks: 2 as 1, lingers: 1 } as object),
      /with.timeout: soon is not a duration.*with.acks: 2 is none of all, 1, 0.*with.lingers/s,
    )
  })

  it('sends dead letters with acks all, whatever the application’s are', async () => {
    const { producer, opened } = rig({ acks: 0 })
    await producer.sendRaw({ topic: 't', value: '1' })
    assert.deepEqual(
      opened.map(({ options, sent }) => [options.acks, sent.length]),
      [
        [0, 0],
        [-1, 1],
      ],
    )
  })

  it('sees before anything is sent what is too large or no message', async () => {
    const { producer, sent } = rig()
    const large = { value: { id: 'x'.repeat(2000) } }
    const code = { code: 'MR_PRODUCER_MESSAGE_TOO_LARGE' }
    assert.throws(() => producer.enqueue(users, large), code)
    assert.throws(() => producer.buffer().add(users, large), code)
    const good = { topic: users, message: { value: { id: '1' } } }
    await assert.rejects(producer.sendMany([good, { topic: users, message: large }, good]), code)
    const nothing = { topic: 't', message: { value: '1', partition: -1 } }
    await assert.rejects(producer.sendMany([good, nothing]), {
      code: 'MR_PRODUCER_MESSAGE_INVALID',
    })
    const wrong = { topic: users, message: { value: { id: 7 } as unknown as { id: string } } }
    await assert.rejects(producer.sendMany([good, wrong]), { code: 'MR_APP_SCHEMA_MISMATCH' })
    await producer.flush()
    assert.deepEqual(sent(), [])
  })

  it('gives each message of many a verdict of its own', async () => {
    let count = 0
    const answer = (): Promise<void> =>
      ++count === 2 ? Promise.reject(new Error('no')) : Promise.resolve()
    const { producer } = rig({ answer })
    const verdicts = await producer.sendMany(
      ['1', '2', '3'].map((value) => ({ topic: 't', message: { value } })),
    )
    assert.deepEqual(
      verdicts.map(({ sent, error }) => sent?.offset ?? (error as Error).message),
      [0, 'no', 2],
    )
  })

  it('leads every way of sending through its layers', async () => {
    const seen: string[] = []
    const outer: Middleware = {
      async send({ topic, message }, next) {
        seen.push(typeof topic === 'string' ? topic : topic.name)
        const headers = { ...(message.headers as object), trace: 'abc' }
        await next({ topic, message: { ...message, headers } })
      },
    }
    const { producer, sent } = rig({ middleware: [outer], ids: false })
    await producer.send(users, { value: { id: '1' } })
    await producer.sendMany([{ topic: users, message: { value: { id: '2' } } }])
    producer.enqueue(users, { value: { id: '3' } })
    const buffer = producer.buffer()
    buffer.add(users, { value: { id: '4' } })
    await buffer.deliver()
    await producer.flush()
    assert.deepEqual(seen, ['users', 'users', 'users', 'users'])
    assert.ok(sent().every(({ headers }) => headers?.some(([name]) => name === 'trace')))
    assert.equal(sent().length, 4)
  })

  it('refuses what a layer forgot to pass on, and sends nothing of its list', async () => {
    const forgetful: Middleware = {
      name: 'forgetful',
      send: async ({ message }, next) => (message.value === 'x' ? undefined : next()),
    }
    const { producer, values, undelivered } = rig({ middleware: [forgetful] })
    const code = { code: 'MR_APP_MIDDLEWARE_SILENT' }
    await assert.rejects(producer.send('t', { value: 'x' }), code)
    const list = ['1', 'x'].map((value) => ({ topic: 't', message: { value } }))
    await assert.rejects(producer.sendMany(list), code)
    const failures: unknown[] = []
    const stop = events.producerBackgroundFailed.subscribe(({ error }) => failures.push(error))
    producer.enqueue('t', { value: 'x' })
    producer.enqueue('t', { value: '2' })
    await producer.flush()
    stop()
    assert.deepEqual(values(), ['2'])
    assert.ok(isFailure(failures[0], 'MR_APP_MIDDLEWARE_SILENT'))
    assert.deepEqual(undelivered, [])
  })

  it('keeps the order of layers, and tells each the result of the next', async () => {
    const steps: string[] = []
    const layer = (name: string): Middleware => ({
      name,
      async send(_outgoing, next) {
        steps.push(`> ${name}`)
        const sent = (await next()) as SendResult
        steps.push(`< ${name} ${sent.offset}`)
      },
    })
    const { producer } = rig({ middleware: [layer('outer'), () => {}, layer('inner')] })
    await producer.send('t', { value: '1' })
    assert.deepEqual(steps, ['> outer', '> inner', '< inner 0', '< outer 0'])
  })

  it('tells one by one what lies in a buffer that nobody delivered', async () => {
    const { producer, undelivered, values } = rig()
    const buffer = producer.buffer()
    buffer.add('t', { value: 'a' })
    buffer.add('t', { value: 'b' })
    const delivered = producer.buffer()
    delivered.add('t', { value: 'c' })
    await delivered.deliver()
    await producer.close()
    assert.deepEqual(undelivered, [
      'a MR_PRODUCER_NEVER_DELIVERED',
      'b MR_PRODUCER_NEVER_DELIVERED',
    ])
    assert.deepEqual(values(), ['c'])
  })

  it('takes nothing any more once it closes', async () => {
    const { producer, values } = rig()
    const buffer = producer.buffer()
    await producer.close()
    const code = { code: 'MR_PRODUCER_CLOSED' }
    assert.throws(() => producer.enqueue('t', { value: '1' }), code)
    assert.throws(() => buffer.add('t', { value: '1' }), code)
    assert.deepEqual(values(), [])
  })

  it('gives up at its close what has no verdict in time, one by one', async () => {
    const never = deferred()
    const { producer, undelivered, clock } = rig({ answer: () => never.promise })
    for (const value of ['1', '2']) producer.enqueue('t', { value })
    const closing = producer.close({ timeout: '5s' })
    await clock.advanceAsync(4999)
    assert.deepEqual(undelivered, [])
    await clock.advanceAsync(1)
    await closing
    assert.deepEqual(undelivered, ['1 MR_CLIENT_TIMEOUT', '2 MR_CLIENT_TIMEOUT'])
  })

  it('forwards bytes as they are, with key, headers and id', async () => {
    const { producer, sent } = rig()
    const message = {
      raw: { key: Buffer.from('k'), value: Buffer.from('{') },
      headers: [['millrace-id', Buffer.from('1')]],
    } as never
    await producer.forward(message, users)
    assert.deepEqual(sent(), [
      {
        topic: 'x.users',
        key: Buffer.from('k'),
        value: Buffer.from('{'),
        headers: [['millrace-id', Buffer.from('1')]],
      },
    ])
  })

  it('says what it cannot encode', async () => {
    const { producer } = rig()
    await assert.rejects(producer.send('t', { value: 1n }), { code: 'MR_APP_UNENCODABLE' })
    const code = { code: 'MR_PRODUCER_KEY_MISSING' }
    await assert.rejects(producer.tombstone('t', null as unknown as string), code)
    await assert.rejects(producer.send(users, { value: null }), code)
    const latest = defineTopic('latest', { compaction: true })
    assert.throws(() => producer.enqueue(latest, { value: 1 }), code)
    producer.enqueue(latest, { key: 'k', value: 1 })
  })
})
