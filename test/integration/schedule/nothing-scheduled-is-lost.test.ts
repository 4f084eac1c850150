import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  defineApp,
  defineConfig,
  defineSchedule,
  defineTopic,
  startWorker,
} from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { startTestApp, type TestApp } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const reminders = defineTopic<string>('reminders')
const small = defineTopic<string>('small', { config: { 'max.message.bytes': 300 } })
const later = defineSchedule('later', { partitions: 1 })
const config = defineConfig({
  clientId: 'shop',
  app: defineApp({ topics: [reminders, small], schedules: [later] }),
})

const soon = (): Date => new Date(Date.now() + 150)

/** Loses every produce to a topic before it has an effect. */
async function losing(app: TestApp, topic: string): Promise<Disposable> {
  const [described] = await app.client.admin.describeTopics([topic])
  return app.broker.fail('produce', {
    close: 'before',
    match: ({ topicData }) =>
      topicData.some(({ name, topicId }) => name === topic || topicId === described?.id),
  })
}

describe('a scheduled message', () => {
  it('comes again under the same id when its worker is killed before it could note it', async () => {
    await using app = await startTestApp(config)
    await later.sendAt(reminders, { key: 'k', value: 'hello' }, soon(), { id: 'one' })
    {
      using _lost = await losing(app, 'later')
      await until('it has come', async () => (await app.messages(reminders)).length === 1)
      await app.crash()
    }
    await until('it has come again', async () => (await app.messages(reminders)).length === 2)
    const [first, second] = await app.messages(reminders)
    assert.equal(first?.value, 'hello')
    assert.equal(first?.headers['millrace-id'], second?.headers['millrace-id'])
    assert.match(first?.headers['millrace-id'] ?? '', /^[0-9a-f-]{36}$/)
    await until('it is noted now', async () => (await app.messages('later')).at(-1)?.raw === null)
    await app.crash()
    await later.sendAt(reminders, { value: 'after' }, soon())
    await until('another one comes', async () => (await app.messages(reminders)).length >= 3)
    assert.equal((await app.messages(reminders)).length, 3)
  })

  it('does not hold up the others when it is refused', async () => {
    await using app = await startTestApp(config)
    const errors: unknown[] = []
    const stop = events.error.subscribe(({ type, error }) => {
      if (type === 'schedule') errors.push(error)
    })
    await later.sendAt(small, { value: 'x'.repeat(1000) }, soon())
    await later.sendAt(reminders, { value: 'behind it' }, soon())
    await until('the other one has come', async () => (await app.messages(reminders)).length === 1)
    await until('the refusal is told', () => errors.length > 0)
    stop()
    assert.ok(isFailure(errors[0], 'MR_PRODUCER_MESSAGE_TOO_LARGE', 'MR_KAFKA_ERROR'))
  })

  it('waits for its topic to be reachable', async () => {
    await using app = await startTestApp(config)
    {
      using _lost = await losing(app, 'reminders')
      await later.sendAt(reminders, { value: 'patient' }, soon())
      await until('it is due and cannot be sent', () => true)
    }
    await until('it comes', async () => (await app.messages(reminders)).length === 1)
  })

  it('is refused when it is scheduled, not when it is due', async () => {
    await using app = await startTestApp(config)
    assert.ok(app.worker)
    await assert.rejects(later.sendAt(reminders, { value: 'x' }, new Date('soon')), (error) =>
      isFailure(error, 'MR_SCHEDULE_DATE_INVALID'),
    )
    await assert.rejects(
      later.sendAt(reminders, { value: undefined as unknown as string }, soon()),
      (error) => isFailure(error, 'MR_APP_UNENCODABLE'),
    )
    const wrong = defineSchedule('wrong', { partitions: 0 })
    await assert.rejects(
      startWorker({ app: defineApp({ schedules: [wrong] }) }, { env: {}, signals: false }),
      /schedules\.wrong\.partitions: 0 is not a number of 1 or more/,
    )
  })
})
