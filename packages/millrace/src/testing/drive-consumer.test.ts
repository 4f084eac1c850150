import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  Consumer,
  defineConsumer,
  defineTopic,
  json,
  retry,
  type ConsumerDefinition,
} from '../app/index.ts'
import { isFailure } from '../errors/index.ts'
import { driveConsumer } from './drive-consumer.ts'

const orders = defineTopic('orders')
const invoices = defineTopic('invoices')

function twice(each: NonNullable<ConsumerDefinition['each']>): ConsumerDefinition {
  return defineConsumer({ topic: orders, group: 'twice', retries: 2, deadLetter: true, each })
}

const difference =
  (pattern: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isFailure(error, 'MR_TEST_DELIVERED_TWICE'), String(error))
    assert.match(error.message, pattern)
    return true
  }

describe('a delivery made twice', () => {
  it('is not seen by a test whose consumer does the same again', async () => {
    const consumer = twice(async ({ value }, { send }) => {
      await send(invoices, { key: 'a', value })
    })
    await using drive = driveConsumer(consumer, { deliverTwice: true })
    await drive.deliver({ value: { id: 1 } })
    await drive.deliver({ value: { id: 2 } }, { value: { id: 3 } })
    assert.deepEqual(
      drive.sent.map(({ value }) => String(value)),
      ['{"id":1}', '{"id":2}', '{"id":3}'],
    )
    assert.deepEqual(drive.marked, [0, 1, 2])
    assert.equal(drive.failures.length, 0)
  })

  it('fails for what is sent with something new in it, or more often', async () => {
    let calls = 0
    const numbering = twice(async (_, { send }) => {
      await send(invoices, { key: 'a', value: ++calls })
    })
    await using drive = driveConsumer(numbering, { deliverTwice: true })
    await assert.rejects(
      drive.deliver({ value: 1 }),
      difference(
        /delivering orders\/0@0 a second time made a difference: a message to invoices has another value/,
      ),
    )
    const repeating = twice(async (_, { send }) => {
      calls += 1
      for (let sent = 0; sent < calls; sent++) await send(invoices, { value: 1 })
    })
    calls = 0
    await using other = driveConsumer(repeating, { deliverTwice: true })
    await assert.rejects(
      other.deliver({ value: 1 }),
      difference(/it sent 2 messages to invoices instead of 1 message to invoices/),
    )
  })

  it('fails for a handler that refuses what it knows, and for rows that came twice', async () => {
    const known = new Set<number>()
    const unique = twice(({ offset }) => {
      if (known.has(offset)) throw new Error('unique constraint')
      known.add(offset)
    })
    await using drive = driveConsumer(unique, { deliverTwice: true })
    await assert.rejects(
      drive.deliver({ value: 1 }),
      difference(/it failed with Error: unique constraint/),
    )

    const rows: number[] = []
    const inserting = twice(({ offset }) => void rows.push(offset))
    await using other = driveConsumer(inserting, { deliverTwice: { observe: () => rows } })
    await assert.rejects(
      other.deliver({ value: 1 }),
      difference(/observe\(\) gives something else/),
    )

    const upserted = new Map<number, number>()
    const upserting = twice(({ offset }) => void upserted.set(offset, offset))
    await using third = driveConsumer(upserting, { deliverTwice: { observe: () => upserted } })
    await third.deliver({ value: 1 })
  })

  it('uses a fresh instance, so that memory does not pass for idempotence', async () => {
    let written = 0
    class Remembering extends Consumer<typeof orders> {
      readonly #seen = new Set<number>()
      consume(): void {
        if (this.#seen.has(this.message.offset)) return
        this.#seen.add(this.message.offset)
        written += 1
      }
    }
    const consumer = defineConsumer({ topic: orders, use: Remembering })
    await using drive = driveConsumer(consumer, { deliverTwice: { observe: () => written } })
    await assert.rejects(drive.deliver({ value: 1 }), difference(/observe/))
  })

  it('does not disturb a message that is still in its back-off', async () => {
    const consumer = twice((_, { attempt }) => (attempt < 3 ? retry({ after: '1m' }) : undefined))
    await using drive = driveConsumer(consumer, { deliverTwice: true })
    await drive.deliver({ value: 1 })
    await drive.advance('1m')
    await drive.advance('1m')
    assert.deepEqual(drive.marked, [0])
  })
})

describe('a driven consumer', () => {
  it('may be a batch, a class, a batch class', async () => {
    const seen: unknown[] = []
    class One extends Consumer<typeof orders> {
      consume(): void {
        seen.push(this.message.value)
      }
    }
    class Many extends Consumer<typeof orders, 'batch'> {
      consume(): void {
        seen.push(this.messages.values)
      }
    }
    for (const consumer of [
      defineConsumer({ topic: orders, batch: ({ values }) => void seen.push(values) }),
      defineConsumer({ topic: orders, use: One }),
      defineConsumer({ topic: orders, use: Many, mode: 'batch' }),
    ]) {
      await using drive = driveConsumer(consumer)
      await drive.deliver({ value: 1 }, { value: 2 })
      assert.deepEqual(drive.marked, [0, 1])
    }
    assert.deepEqual(seen, [[1, 2], 1, 2, [1, 2]])
  })

  it('runs lanes at once, a key in its back-off apart, and delivers them twice', async () => {
    const seen: string[] = []
    const consumer = defineConsumer({
      topic: orders,
      concurrency: 4,
      backoff: '1s',
      async each({ key, value }, { attempt }) {
        if (value === 'bad' && attempt === 1) throw new Error('no answer')
        await new Promise((resolve) => setImmediate(resolve))
        seen.push(`${key}:${String(value)}`)
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(
      { key: 'a', value: 'bad' },
      { key: 'a', value: 'behind' },
      { key: 'b', value: '1' },
      { key: 'b', value: '2' },
    )
    assert.deepEqual(seen, ['b:1', 'b:2'])
    await drive.advance('1s')
    assert.deepEqual(seen.slice(2), ['a:bad', 'a:behind'])
    await using again = driveConsumer(consumer, { deliverTwice: true })
    seen.length = 0
    await again.deliver({ key: 'a', value: '1' }, { key: 'b', value: '1' })
    assert.deepEqual(seen.toSorted(), ['a:1', 'a:1', 'b:1', 'b:1'])
    assert.deepEqual(new Set(again.marked), new Set([0, 1]))
  })

  it('takes the handler of each event type', async () => {
    interface Opened {
      readonly type: 'opened'
    }
    interface Closed {
      readonly type: 'closed'
    }
    const accounts = defineTopic('accounts', {
      value: json<Opened | Closed>(),
      discriminant: 'type',
    })
    const seen: string[] = []
    const consumer = defineConsumer({
      topic: accounts,
      on: { opened: () => void seen.push('opened'), closed: () => void seen.push('closed') },
    })
    await using drive = driveConsumer(consumer, { deliverTwice: true })
    await drive.deliver({ value: { type: 'opened' } }, { value: { type: 'closed' } })
    assert.deepEqual(seen, ['opened', 'closed', 'opened', 'closed'])
  })

  it('says which partition does not end', { timeout: 20_000 }, async (context) => {
    // Ten seconds of real time, which nobody wants to wait for here.
    let now = 0
    context.mock.method(performance, 'now', () => (now += 1000))
    const consumer = defineConsumer({ topic: orders, each: () => new Promise(() => {}) })
    const drive = driveConsumer(consumer)
    await assert.rejects(drive.deliver({ partition: 3, value: 1 }), (error) => {
      assert.ok(isFailure(error, 'MR_TEST_NOT_SETTLED'))
      assert.match(error.message, /orders\/3: running/)
      return true
    })
    context.mock.reset()
  })
})
