import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { z } from 'zod'

import { isFailure } from '../../errors/index.ts'
import { driveConsumer } from '../../testing/index.ts'
import { defineTopic } from '../topic/define-topic.ts'
import { json, text } from '../topic/codec.ts'
import { defineConsumer } from './define-consumer.ts'

interface Created {
  readonly event_name: 'user_created'
  readonly user: { readonly id: string }
}
interface Renamed {
  readonly event_name: 'user_renamed'
  readonly name: string
}

/** Compiles only when both types are the same. */
// oxlint-disable typescript/no-unnecessary-type-parameters -- comparing two generic functions is the only exact comparison
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
// oxlint-enable typescript/no-unnecessary-type-parameters
const same = <A, B>(_: Same<A, B>): void => {}

const users = defineTopic('users', {
  value: json<Created | Renamed>(),
  discriminant: 'event_name',
})
const usual = defineTopic('usual', {
  value: z.discriminatedUnion('type', [
    z.object({ type: z.literal('opened'), at: z.number() }),
    z.object({ type: z.literal('closed'), reason: z.string() }),
  ]),
  tombstones: true,
})

describe('handlers by event type', () => {
  it('get the messages of their type, in the order of the partition', async () => {
    const seen: string[] = []
    const consumer = defineConsumer({
      topic: users,
      on: {
        user_created: ({ value, offset }) => void seen.push(`${offset} created ${value.user.id}`),
        user_renamed: ({ value, offset }) => void seen.push(`${offset} renamed ${value.name}`),
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(
      { value: { event_name: 'user_created', user: { id: '1' } } },
      { value: { event_name: 'user_renamed', name: 'Ada' } },
      { value: { event_name: 'user_created', user: { id: '2' } } },
    )
    assert.deepEqual(seen, ['0 created 1', '1 renamed Ada', '2 created 2'])
    assert.deepEqual(drive.marked, [0, 1, 2])
  })

  it('give an unknown event type up at once: it goes to the dead letters, or blocks', async () => {
    const on = { user_created: () => {}, user_renamed: () => {} }
    const withLetters = defineConsumer({ topic: users, deadLetter: true, on })
    const without = defineConsumer({ topic: users, on })
    const unknown = { raw: { value: Buffer.from('{"event_name":"user_eaten"}') } }
    {
      await using drive = driveConsumer(withLetters)
      await drive.deliver(unknown)
      assert.equal(drive.deadLetters[0]?.headers['millrace-error-code'], 'MR_APP_EVENT_UNKNOWN')
      assert.equal(drive.failures.length, 1, 'it was tried once')
      assert.deepEqual(drive.marked, [0])
    }
    await using drive = driveConsumer(without)
    await drive.deliver(unknown, { raw: { value: Buffer.from('{"event_name":7}') } })
    assert.equal(drive.state().kind, 'blocked')
    const error = drive.failures[0]?.error
    assert.ok(isFailure(error, 'MR_APP_EVENT_UNKNOWN'))
    assert.match(error.message, /^users\/0@0 has the event_name user_eaten, for which/)
  })

  it('leave the rest to `otherwise`, tombstones and nameless ones too', async () => {
    const rest: unknown[] = []
    const consumer = defineConsumer({
      topic: usual,
      on: { opened: () => {}, otherwise: ({ value }) => void rest.push(value) },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(
      { value: { type: 'opened', at: 1 } },
      { value: { type: 'closed', reason: 'night' } },
      { value: null, key: 'k' },
    )
    assert.deepEqual(rest, [{ type: 'closed', reason: 'night' }, null])
  })

  it('find the usual name by themselves, and the tombstone', async () => {
    const seen: string[] = []
    const consumer = defineConsumer({
      topic: usual,
      on: {
        opened: ({ value }) => void seen.push(`opened ${value.at}`),
        closed: ({ value }) => void seen.push(`closed ${value.reason}`),
        tombstone: ({ key, value }) => void seen.push(`gone ${key} ${value}`),
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(
      { value: { type: 'closed', reason: 'night' } },
      { value: null, key: 'k' },
      { value: { type: 'opened', at: 1 } },
    )
    assert.deepEqual(seen, ['closed night', 'gone k null', 'opened 1'])
  })

  it('are not looked up on prototypes, nor under the two reserved names', async () => {
    const calls: string[] = []
    const open = defineTopic('open', { value: json<{ readonly type: string }>() })
    const consumer = defineConsumer({
      topic: open,
      on: {
        tombstone: () => void calls.push('tombstone'),
        otherwise: () => void calls.push('rest'),
      },
    })
    await using drive = driveConsumer(consumer)
    for (const type of ['toString', 'tombstone', 'otherwise', '__proto__'])
      await drive.deliver({ value: { type } })
    assert.deepEqual(calls, ['rest', 'rest', 'rest', 'rest'])
  })
})

describe('types of handlers by event type', () => {
  it('narrow each handler to its member', () => {
    defineConsumer({
      topic: users,
      on: {
        user_created({ value, key, topic }, { signal }) {
          same<typeof value, Created>(true)
          same<typeof key, string | null>(true)
          same<typeof topic, 'users'>(true)
          same<typeof signal, AbortSignal>(true)
        },
        user_renamed: ({ value }) => same<typeof value, Renamed>(true),
      },
    })
    assert.ok(true)
  })

  it('want every event type, or `otherwise`', () => {
    // @ts-expect-error -- user_renamed has no handler
    defineConsumer({ topic: users, on: { user_created() {} } })
    defineConsumer({
      topic: users,
      on: {
        user_created() {},
        otherwise: ({ value }) => same<typeof value, Created | Renamed>(true),
      },
    })
    // @ts-expect-error -- the topic has tombstones
    defineConsumer({ topic: usual, on: { opened() {}, closed() {} } })
    defineConsumer({ topic: usual, on: { opened() {}, closed() {}, tombstone() {} } })
    // @ts-expect-error -- this topic has none
    defineConsumer({ topic: users, on: { user_created() {}, user_renamed() {}, tombstone() {} } })
  })

  it('refuse an event type that the union does not have', () => {
    defineConsumer({
      topic: users,
      // @ts-expect-error -- a typing error
      on: { user_created() {}, user_renamd() {}, otherwise() {} },
    })
  })

  it('want `otherwise` where the union is open or says nothing', () => {
    const open = defineTopic('open', { value: json<{ readonly type: string }>() })
    // @ts-expect-error -- any text may come
    defineConsumer({ topic: open, on: { opened() {} } })
    defineConsumer({ topic: open, on: { opened() {}, otherwise() {} } })
    const anything = defineTopic('anything', { discriminant: 'what' })
    defineConsumer({ topic: anything, on: { opened() {}, otherwise() {} } })
    const half = defineTopic('half', { value: json<Created | { readonly id: number }>() })
    // @ts-expect-error -- one member does not say what it is
    defineConsumer({ topic: half, on: { user_created() {} } })
  })

  it('join the event types of several topics', () => {
    const logins = defineTopic('logins', {
      value: json<{ readonly type: 'login'; readonly ip: string }>(),
    })
    defineConsumer({
      topic: [users, logins],
      name: 'all',
      on: {
        user_created: ({ topic }) => same<typeof topic, 'users'>(true),
        user_renamed() {},
        login: ({ value, topic }) => {
          same<typeof topic, 'logins'>(true)
          same<typeof value.ip, string>(true)
        },
      },
    })
    // @ts-expect-error -- nobody takes logins
    defineConsumer({ topic: [users, logins], on: { user_created() {}, user_renamed() {} } })
  })

  it('leave what has no event type to `otherwise`', () => {
    const notes = defineTopic('notes', { value: text() })
    defineConsumer({
      topic: [notes, users],
      name: 'both',
      on: {
        user_created: ({ value }) => same<typeof value, Created>(true),
        otherwise: ({ topic }) => same<typeof topic, 'users' | 'notes'>(true),
      },
    })
    // @ts-expect-error -- nobody takes notes
    defineConsumer({ topic: [notes, users], on: { user_created() {}, user_renamed() {} } })
    // @ts-expect-error -- no such event
    defineConsumer({ topic: [notes, users], on: { user_eaten() {}, otherwise() {} } })
  })

  it('stand alone', () => {
    const on = { user_created() {}, user_renamed() {} }
    // @ts-expect-error -- two forms
    defineConsumer({ topic: users, on, each() {} })
    // @ts-expect-error -- two forms
    defineConsumer({ topic: users, on, batch() {} })
    // @ts-expect-error -- a batch has no single event
    defineConsumer({ topic: users, on, mode: 'batch' })
  })

  it('hold the discriminant to a property of the value', () => {
    // @ts-expect-error -- no member has it
    defineTopic('users', { value: json<Created | Renamed>(), discriminant: 'eventname' })
    // @ts-expect-error -- only one member has it
    defineTopic('users', { value: json<Created | Renamed>(), discriminant: 'user' })
  })
})

describe('a topic of a written type', () => {
  it('takes the type as its first argument', () => {
    const topic = defineTopic<Created | Renamed>('users', {
      partitions: 3,
      discriminant: 'event_name',
    })
    defineConsumer({
      topic,
      each: ({ value, key }) => {
        same<typeof value, Created | Renamed>(true)
        same<typeof key, string | null>(true)
      },
    })
    defineConsumer({
      topic,
      on: { user_created: ({ value }) => same<typeof value, Created>(true), user_renamed() {} },
    })
    const texts = defineTopic<string>('texts')
    defineConsumer({ topic: texts, each: ({ value }) => same<typeof value, string>(true) })
    assert.equal(texts.name, 'texts')
    assert.equal(topic.options.partitions, 3)
  })

  it('has tombstones when its type has null, and says so in both places', () => {
    const topic = defineTopic<Created | null>('users', { tombstones: true })
    defineConsumer({
      topic,
      each: ({ value }) => same<typeof value, Created | null>(true),
    })
    // @ts-expect-error -- the type has null
    defineTopic<Created | null>('users')
    // @ts-expect-error -- the type has no null
    defineTopic<Created>('users', { tombstones: true })
    // @ts-expect-error -- keys are text unless a codec says otherwise
    defineTopic<Created, number>('users')
  })
})
