import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { z } from 'zod'

import { driveConsumer } from '../../testing/drive-consumer.ts'
import {
  ApplicationResponder,
  Consumer,
  defineApp,
  defineConsumer,
  defineResponder,
  defineTopic,
  json,
  resolveConfig,
  type Send,
} from '../index.ts'

const users = defineTopic('users')
const audit = defineTopic('audit')

interface Recorded {
  readonly topic: string
  readonly message: object
}

const recorder = (): { readonly sent: Recorded[]; readonly send: Send } => {
  const sent: Recorded[] = []
  const send: Send = async (topic, message) => {
    sent.push({ topic: typeof topic === 'string' ? topic : topic.name, message })
    return { topic: 'x', partition: 0, offset: 0, timestamp: 0 }
  }
  return { sent, send }
}

class UsersResponder extends ApplicationResponder {
  static override readonly topics = {
    users,
    audit: { topic: audit, required: false, options: z.object({ key: z.string() }) },
  }
  respond(event: { readonly name?: string; readonly to?: string; readonly key?: string }): void {
    if (event.name !== undefined) this.respondTo('users', { name: event.name })
    if (event.to !== undefined)
      this.respondTo(event.to, 'as it is', event.key === undefined ? {} : { key: event.key })
  }
}

describe('a responder', () => {
  it('sends what it collected and returns it by topic, as written', async () => {
    const { sent, send } = recorder()
    const event = { name: 'Ada', to: 'audit', key: 'k' }
    const responses = await UsersResponder.call(event, { send })
    assert.deepEqual(responses, {
      users: [['{"name":"Ada"}', { topic: 'users' }]],
      audit: [['as it is', { topic: 'audit' }]],
    })
    assert.deepEqual(
      sent.map(({ topic }) => topic),
      ['users', 'audit'],
    )
    assert.deepEqual(sent[1]?.message, { key: Buffer.from('k'), value: 'as it is' })
  })

  it('checks everything before the first byte', async () => {
    const { sent, send } = recorder()
    const wrong = [
      [{ name: 'Ada', to: 'nowhere' }, 'MR_RESPONDER_TOPIC_UNDECLARED'],
      [{ to: 'audit', key: 'k' }, 'MR_RESPONDER_TOPIC_UNUSED'],
      [{ name: 'Ada', to: 'audit' }, 'MR_RESPONDER_OPTIONS_REFUSED'],
    ] as const
    for (const [event, code] of wrong)
      await assert.rejects(UsersResponder.call(event, { send }), { code })
    assert.deepEqual(sent, [])
  })

  it('is a function when that is enough', async () => {
    const { send } = recorder()
    const responder = defineResponder({
      name: 'audit',
      topics: { audit },
      respond: (what: string, to) => to('audit', { what }),
    })
    assert.deepEqual(await responder.call('x', { send }), {
      audit: [['{"what":"x"}', { topic: 'audit' }]],
    })
  })

  it('is found by its name from a consumer, and its messages belong to the job', async () => {
    class UsersConsumer extends Consumer<typeof users> {
      async consume(): Promise<void> {
        await this.respondWith({ name: String(this.message.value) })
      }
    }
    const consumer = defineConsumer({ topic: users, use: UsersConsumer, responder: UsersResponder })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'Ada' })
    assert.deepEqual(
      drive.sent.map(({ topic, value }) => [topic, String(value)]),
      [['users', '{"name":"Ada"}']],
    )
    assert.deepEqual(drive.marked, [0])

    const byName = defineConsumer({ topic: users, use: UsersConsumer })
    const app = defineApp({ consumers: [byName], responders: [UsersResponder] })
    assert.equal(resolveConfig({ app }).plans[0]?.responder?.name, 'UsersResponder')
  })
})

describe('what a responder checks before the first byte', () => {
  const keyed = defineTopic('keyed', { key: json<number>() })

  it('is also the size, the headers, the key and the serializer', async () => {
    const { sent, send } = recorder()
    const responder = defineResponder({
      topics: {
        users,
        keyed,
        own: {
          topic: audit,
          required: false,
          serialize: (value) => {
            if (value === 'throw') throw new Error('no')
            return value as string
          },
        },
      },
      respond(
        what: { readonly own?: unknown; readonly bytes?: number; readonly header?: number },
        to,
      ) {
        to('users', { text: 'x'.repeat(what.bytes ?? 1) }, { headers: { h: what.header as never } })
        to('keyed', {}, { key: 7 })
        if ('own' in what) to('own', what.own, what.own === null ? { key: 'k' } : {})
      },
    })
    const wrong = [
      [{ header: 'h', bytes: 2_000_000 }, 'MR_PRODUCER_MESSAGE_TOO_LARGE'],
      [{ header: 7 }, 'MR_PRODUCER_MESSAGE_INVALID'],
      [{ header: 'h', own: 7 }, 'MR_APP_UNENCODABLE'],
      [{ header: 'h', own: 'throw' }, 'MR_APP_UNENCODABLE'],
    ] as const
    for (const [data, code] of wrong)
      await assert.rejects(responder.call(data as never, { send }), { code })
    assert.equal(sent.length, 0)
    const responses = await responder.call({ header: 'h' as never, own: null }, { send })
    assert.deepEqual(responses['audit'], [[null, { topic: 'audit' }]])
    assert.deepEqual(sent[1], {
      topic: 'keyed',
      message: { key: Buffer.from('7'), value: Buffer.from('{}') },
    })
  })

  it('goes on to send all of it, and tells every failure', async () => {
    const asked: string[] = []
    const send: Send = (to) => {
      const topic = typeof to === 'string' ? to : to.name
      asked.push(topic)
      return topic === 'keyed' ? new Promise(() => {}) : Promise.reject(new Error(`no ${topic}`))
    }
    const responder = defineResponder({
      topics: { users, audit, keyed: { topic: keyed, async: true } },
      respond(_: unknown, to) {
        to('users', 1)
        to('keyed', 2)
        to('audit', 3)
      },
    })
    await assert.rejects(responder.call({}, { send }), (error: unknown) => {
      assert.ok(error instanceof AggregateError)
      assert.deepEqual(
        error.errors.map((one: Error) => one.message),
        ['no users', 'no audit'],
      )
      return true
    })
    assert.deepEqual(asked, ['users', 'keyed', 'audit'])
  })

  it('leaves an asynchronous message with the job: it fails when that is not delivered', async () => {
    const responder = defineResponder({
      topics: { audit: { topic: audit, async: true } },
      respond: (data: unknown, to) => to('audit', data),
    })
    let isAnswered = false
    const consumer = defineConsumer({
      topic: users,
      responder,
      async each({ value }, { respondWith }) {
        await respondWith(value)
        isAnswered = true
      },
    })
    await using drive = driveConsumer(consumer)
    drive.failSends(() => new Error('away'))
    await drive.deliver({ value: 'x' })
    assert.ok(isAnswered, 'nobody waited in the handler')
    assert.deepEqual(drive.marked, [])
    drive.failSends(undefined)
    await drive.advance('1s')
    assert.deepEqual(drive.marked, [0])
  })

  it('begins at boot: what is no responder, and names that are taken', () => {
    class Other extends ApplicationResponder {
      static override readonly topics = { users }
      respond(): void {}
    }
    const same = Object.defineProperty(Other, 'name', { value: 'UsersResponder' })
    const app = defineApp({
      responders: [UsersResponder, same, {} as never, { topics: { x: 1 }, call() {} } as never],
    })
    assert.throws(
      () => resolveConfig({ app }),
      (error: unknown) => {
        assert.deepEqual((error as { context: { faults: unknown } }).context.faults, [
          'app.responders[1]: another responder is called UsersResponder as well',
          'app.responders[2]: is neither a class of ApplicationResponder nor what defineResponder returns',
          'app.responders[3].topics.x: is not what defineTopic returns',
        ])
        return true
      },
    )
  })
})
