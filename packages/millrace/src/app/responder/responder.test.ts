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
    assert.deepEqual(sent[1]?.message, { key: 'k', value: 'as it is' })
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
