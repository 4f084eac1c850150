import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isFailure } from '../../errors/index.ts'
import { driveConsumer } from '../../testing/drive-consumer.ts'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  resolveConfig,
  retry,
  skip,
  type Middleware,
} from '../index.ts'

const users = defineTopic('users')

describe('middleware around handlers', () => {
  it('runs from the app over the group to the consumer, and back', async () => {
    const steps: string[] = []
    const layer =
      (name: string): Middleware =>
      async ({ messages, context, topic }, next) => {
        steps.push(`> ${name} ${topic}@${messages[0]?.offset} ${context.attempt}`)
        const outcome = await next()
        steps.push(`< ${name}`)
        return outcome
      }
    const consumer = defineConsumer({
      topic: users,
      middleware: [layer('consumer')],
      each: () => void steps.push('handler'),
    })
    const app = defineApp({
      consumers: [consumer],
      middleware: [layer('app')],
      groups: { users: { middleware: [layer('group')] } },
    })
    const plan = resolveConfig({ app }).plans[0]
    const call = plan?.wrap(() => steps.push('handler'))
    const context = { attempt: 1 } as never
    await call?.({ context, topic: 'users', partition: 0, messages: [{ offset: 7 } as never] })
    assert.deepEqual(steps, [
      '> app users@7 1',
      '> group users@7 1',
      '> consumer users@7 1',
      'handler',
      '< consumer',
      '< group',
      '< app',
    ])
  })

  it('that neither calls next nor returns an outcome fails the attempt', async () => {
    let calls = 0
    const forgetful: Middleware = { name: 'forgetful', consume: () => {} }
    const consumer = defineConsumer({
      topic: users,
      middleware: [forgetful],
      each: () => void calls++,
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 })
    assert.equal(calls, 0)
    assert.deepEqual(drive.marked, [])
    const error = drive.failures[0]?.error
    assert.ok(isFailure(error, 'MR_APP_MIDDLEWARE_SILENT') && error.message.includes('forgetful'))
  })

  it('that forgets to return what next gave loses no outcome', async () => {
    const careless: Middleware = async (_job, next) => void (await next())
    const consumer = defineConsumer({
      topic: users,
      middleware: [careless],
      each: (_message, { attempt }) => (attempt === 1 ? retry() : skip('seen')),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 })
    assert.deepEqual(drive.marked, [])
    await drive.advance('1s')
    assert.deepEqual(drive.marked, [0])
  })

  it('that forgets to await next ends when the handler ends, and fails when it fails', async () => {
    const hasty: Middleware = (_job, next) => void next().catch(() => {})
    let isFirst = true
    const done: number[] = []
    const consumer = defineConsumer({
      topic: users,
      middleware: [hasty],
      async each({ offset }) {
        await new Promise((resolve) => setImmediate(resolve))
        if (isFirst) {
          isFirst = false
          throw new Error('no')
        }
        done.push(offset)
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 }, { value: 2 })
    assert.equal(drive.failures.length, 1)
    assert.deepEqual(drive.marked, [])
    await drive.advance('1s')
    assert.deepEqual(done, [0, 1])
    assert.deepEqual(drive.marked, [0, 1])
  })

  it('may swallow an error, answer for the handler, and try it again', async () => {
    const runs: string[] = []
    const swallow: Middleware = async (_job, next) => {
      try {
        return await next()
      } catch {
        return undefined
      }
    }
    const again: Middleware = async (_job, next) => {
      try {
        return await next()
      } catch {
        return next()
      }
    }
    const guard: Middleware = ({ messages }, next) =>
      messages[0]?.value === 'known' ? skip('known') : next()
    const consumer = defineConsumer({
      topic: users,
      middleware: [swallow, again, guard],
      each({ value }) {
        runs.push(String(value))
        throw new Error('always')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'known' }, { value: 'new' })
    assert.deepEqual(runs, ['new', 'new'])
    assert.deepEqual(drive.marked, [0, 1])
  })
})

describe('middleware around fetches and sends of a consumer', () => {
  it('sees what was received before the handler does', async () => {
    const steps: string[] = []
    const watch: Middleware = {
      async receive(messages, next) {
        steps.push(`received ${messages.length}`)
        await next()
      },
    }
    const consumer = defineConsumer({
      topic: users,
      middleware: [watch],
      each: ({ offset }) => void steps.push(`handled ${offset}`),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 }, { value: 2 })
    assert.deepEqual(steps, ['received 2', 'handled 0', 'handled 1'])
  })

  it('stands around what its handlers send', async () => {
    const stamp: Middleware = {
      name: 'stamp',
      send: ({ topic, message }, next) =>
        next({ topic, message: { ...message, headers: { from: 'mail' } } }),
    }
    const consumer = defineConsumer({
      topic: users,
      middleware: [stamp],
      each: (_message, { send }) => send('out', { value: 'x' }),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 })
    assert.deepEqual(drive.sent[0]?.headers, [['from', 'mail']])
    assert.deepEqual(drive.marked, [0])
  })

  it('is checked at boot', () => {
    const wrong = [{ consum: () => {} }, 7, {}, { send: 'x' }] as unknown as Middleware[]
    const consumer = defineConsumer({ topic: users, middleware: wrong, each() {} })
    const app = defineApp({ consumers: [consumer], middleware: [{ recieve() {} } as Middleware] })
    try {
      resolveConfig({ app })
      assert.fail('it passed')
    } catch (error) {
      if (!isFailure(error, 'MR_CONFIG_INVALID')) throw error
      assert.deepEqual(error.context['faults'], [
        'app.middleware[0].recieve: there is no such layer; did you mean receive?',
        'consumers.users.middleware[0].consum: there is no such layer; did you mean consume?',
        'consumers.users.middleware[1]: is neither a function nor an object of consume, send and receive',
        'consumers.users.middleware[2]: has no consume, send or receive',
        'consumers.users.middleware[3].send: is not a function',
      ])
    }
  })
})
