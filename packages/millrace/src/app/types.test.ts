import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { z } from 'zod'

import {
  ApplicationResponder,
  bytes,
  Consumer,
  defineConsumer,
  defineResponder,
  defineThreadHandler,
  defineTopic,
  json,
  text,
  type AppProducer,
  type Context,
  type Message,
  type Middleware,
} from './index.ts'

const users = defineTopic('users', {
  key: text(),
  value: z.object({ id: z.string(), age: z.coerce.number() }),
  tombstones: true,
})
const orders = defineTopic('orders', { value: json<{ readonly total: number }>() })
const blobs = defineTopic('blobs', { value: bytes() })

/** Compiles only when both types are the same. */
// oxlint-disable typescript/no-unnecessary-type-parameters -- comparing two generic functions is the only exact comparison
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
// oxlint-enable typescript/no-unnecessary-type-parameters
const same = <A, B>(_: Same<A, B>): void => {}

describe('types', () => {
  it('flow from the topic to its handler', () => {
    defineConsumer({
      topic: users,
      each({ key, value, topic }) {
        same<typeof key, string | null>(true)
        same<typeof topic, 'users'>(true)
        same<typeof value, { id: string; age: number } | null>(true)
        // @ts-expect-error -- a tombstone is possible, so the value must be looked at first
        return value.id
      },
    })
    defineConsumer({
      topic: orders,
      batch(messages, { signal }) {
        same<typeof signal, AbortSignal>(true)
        for (const { value } of messages) same<typeof value, { readonly total: number }>(true)
        same<typeof messages.values, readonly { readonly total: number }[]>(true)
        // @ts-expect-error -- a batch has no value of its own
        return messages.value
      },
    })
    defineConsumer({ topic: blobs, each: ({ value }) => same<typeof value, Buffer>(true) })
  })

  it('are narrowed by the topic when there are several', () => {
    defineConsumer({
      topic: [users, orders],
      name: 'both',
      each(message) {
        if (message.topic === 'orders') same<typeof message.value, { readonly total: number }>(true)
        else same<typeof message.key, string | null>(true)
        // @ts-expect-error -- before the topic is known the value is a union
        return message.value.total
      },
    })
  })

  it('refuse the other form in a class', () => {
    class Each extends Consumer<typeof orders> {
      consume(): void {
        same<(typeof this.message)['value'], { readonly total: number }>(true)
        // @ts-expect-error -- messages belong to the batch form
        void this.messages.size
      }
    }
    class Batch extends Consumer<typeof orders, 'batch'> {
      consume(): void {
        void this.messages.first.value.total
        // @ts-expect-error -- message belongs to the form of single messages
        void this.message.value
      }
    }
    defineConsumer({ topic: orders, use: Each })
    defineConsumer({ topic: orders, use: Batch, mode: 'batch' })
    // @ts-expect-error -- a batch class says so where it is declared
    defineConsumer({ topic: orders, use: Batch })
    // @ts-expect-error -- a class for single messages gets single messages
    defineConsumer({ topic: orders, use: Each, mode: 'batch' })
    // @ts-expect-error -- a class for another topic
    defineConsumer({ topic: blobs, use: Each })
  })

  it('want exactly one form', () => {
    // @ts-expect-error -- none
    defineConsumer({ topic: orders })
    // @ts-expect-error -- two
    defineConsumer({ topic: orders, each() {}, batch() {} })
    // @ts-expect-error -- no such setting
    defineConsumer({ topic: orders, each() {}, retriez: 3 })
    assert.ok(true)
  })

  it('hold what is sent to the topic’s input', () => {
    const send = (async () => ({})) as unknown as Context['send']
    void send(users, { key: 'u1', value: { id: 'u1', age: '42' } })
    void send(users, { key: 'u1', value: null })
    void send('undeclared', { value: { anything: true } })
    // @ts-expect-error -- no id
    void send(users, { value: { age: 42 } })
    // @ts-expect-error -- this topic has no tombstones
    void send(orders, { value: null })
    // @ts-expect-error -- the key is text
    void send(users, { key: 7, value: null })
  })

  it('hold a responder to its topics', () => {
    class OrdersResponder extends ApplicationResponder<{ orders: typeof orders }> {
      static override readonly topics = { orders }
      respond(event: { readonly sum: number }): void {
        this.respondTo('orders', { total: event.sum }, { key: 'a' })
        // @ts-expect-error -- an undeclared topic
        this.respondTo('users', {})
        // @ts-expect-error -- not what the topic takes
        this.respondTo('orders', { sum: 1 })
      }
    }
    // @ts-expect-error -- respond() takes a sum
    const wrong = (): unknown => OrdersResponder.call({ total: 1 })
    const right = (): unknown => OrdersResponder.call({ sum: 1 })
    assert.ok([wrong, right].length > 0)
    defineResponder({
      topics: { orders },
      respond(data: number, to) {
        to('orders', { total: data })
        // @ts-expect-error -- an undeclared topic
        to('users', {})
      },
    })
  })

  it('hold a context to what it takes', () => {
    defineConsumer({
      topic: orders,
      async each(message, ctx) {
        ctx.mark(message)
        ctx.seek('-1h')
        ctx.seek(new Date())
        ctx.pause({ for: '5s' })
        same<Awaited<ReturnType<typeof ctx.commit>>, boolean>(true)
        same<ReturnType<typeof ctx.mark>, boolean>(true)
        await ctx.deadLetter(message, 'no stock')
        // @ts-expect-error -- marked by the message, not by a number
        ctx.mark(message.offset + 1)
        // @ts-expect-error -- none of the places that a seek knows
        ctx.seek('yesterday')
        // @ts-expect-error -- say what the time is
        ctx.pause('5s')
        // @ts-expect-error -- a reason is wanted
        await ctx.deadLetter(message)
        // @ts-expect-error -- it tells, and is not told
        ctx.attempt = 1
        // @ts-expect-error -- there is no transaction without an inbox
        ctx.tx.query('select 1')
      },
    })
  })

  it('flow into the middleware of a consumer', () => {
    const anywhere: Middleware = ({ messages }, next) => {
      same<(typeof messages)[number]['value'], unknown>(true)
      return next()
    }
    defineConsumer({
      topic: orders,
      middleware: [
        anywhere,
        ({ messages, context }, next) => {
          same<(typeof messages)[number]['value'], { readonly total: number }>(true)
          same<typeof context.signal, AbortSignal>(true)
          return next()
        },
        { receive: (messages, next) => (messages[0]?.value.total === 0 ? undefined : next()) },
        // @ts-expect-error -- there is no such layer
        { recieve: () => undefined },
      ],
      each() {},
    })
    const forUsers: Middleware<typeof users> = (_job, next) => next()
    // @ts-expect-error -- it reads messages of another topic
    defineConsumer({ topic: blobs, middleware: [forUsers], each() {} })
  })

  it('hold the producer to topics, keys and settings', () => {
    const producer = {} as AppProducer
    const uses = [
      (): unknown => producer.tombstone(users, 'u1'),
      // @ts-expect-error -- a tombstone without a key says nothing
      (): unknown => producer.tombstone(users),
      // @ts-expect-error -- the key is text
      (): unknown => producer.tombstone(users, 7),
      // @ts-expect-error -- no value
      (): void => producer.enqueue(orders, { key: 'k' }),
      // @ts-expect-error -- not what the topic takes
      (): void => producer.enqueue(orders, { value: { sum: 1 } }),
      // @ts-expect-error -- not what the topic takes
      (): void => producer.buffer().add(orders, { value: { sum: 1 } }),
      // @ts-expect-error -- headers are text or bytes
      (): unknown => producer.send(orders, { value: { total: 1 }, headers: { n: 1 } }),
      (): unknown =>
        producer.with({ acks: 1, timeout: '2s' }).send(orders, { value: { total: 1 } }),
      // @ts-expect-error -- no such setting
      (): unknown => producer.with({ linger: '5ms' }),
      // @ts-expect-error -- what it returns does not close the connections of all
      (): unknown => producer.with({ acks: 0 }).close(),
    ]
    assert.equal(uses.length, 10)
  })

  it('know a module in a thread as a form of its own', () => {
    const handler = new URL('./resize.ts', import.meta.url)
    defineConsumer({ topic: orders, runIn: 'thread', handler, threads: 2 })
    // @ts-expect-error -- where does it run?
    defineConsumer({ topic: orders, handler })
    // @ts-expect-error -- no module
    defineConsumer({ topic: orders, runIn: 'thread' })
    // @ts-expect-error -- two forms
    defineConsumer({ topic: orders, runIn: 'thread', handler, each() {} })
    // @ts-expect-error -- a function stays in its thread
    defineConsumer({ topic: orders, runIn: 'thread', handler: () => {} })
    defineThreadHandler({
      topic: [users, orders],
      each(message, ctx) {
        if (message.topic === 'orders') same<typeof message.value, { readonly total: number }>(true)
        same<typeof ctx.aborted, boolean>(true)
        // @ts-expect-error -- marks stay with the worker
        ctx.mark(message)
      },
    })
    defineThreadHandler({
      topic: orders,
      batch: (messages) =>
        same<typeof messages.values, readonly { readonly total: number }[]>(true),
    })
    // @ts-expect-error -- two forms
    defineThreadHandler({ topic: orders, each() {}, batch() {} })
  })

  it('name a message for functions outside of consumers', () => {
    const handle = ({ value }: Message<typeof orders>): number => value.total
    defineConsumer({ topic: orders, each: (message) => void handle(message) })
  })
})
