/**
 * Objects are encoded and text passes; a topic may have its own serializer, and may be delivered in the background. A
 * delivery that fails is tried again with an event each time, and in the end the caller gets the error.
 */
import assert from 'node:assert/strict'
import {
  defineResponder,
  defineTopic,
  monitor,
  openProducer,
} from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'
import { watchRequests } from '../../harness/watch-requests.ts'

const users = defineTopic('users')
const lines = defineTopic('lines')
const later = defineTopic('later')

const responder = defineResponder({
  topics: {
    users,
    lines: {
      topic: lines,
      required: false,
      serialize: (value) => Object.entries(value as object).join(';'),
    },
    later: { topic: later, required: false, async: true },
  },
  respond(data: { readonly value: unknown; readonly more?: boolean }, to) {
    to('users', data.value)
    if (data.more !== true) return
    to('lines', { a: 1, b: 2 })
    to('later', { sent: 'in the background' })
  },
})

await scenario({ topics: { users: {}, lines: {}, later: {} } }, async (scene) => {
  const values = async (name: string): Promise<(string | undefined)[]> =>
    (await scene.log(name)).records.map(({ value }) => value?.toString())
  const { config } = scenarioApp(scene, {}, { producer: { deliveryInterval: '100s' } })
  {
    await using producer = openProducer(config)
    await responder.call({ value: { id: 1 }, more: true })
    await responder.call({ value: '{"id":2}' })
    assert.deepEqual(await values('users'), ['{"id":1}', '{"id":2}'])
    assert.deepEqual(await values('lines'), ['a,1;b,2'])
    assert.deepEqual(await values('later'), [], 'nobody waited for it')
    assert.equal(producer.queued, 1)
  }
  assert.deepEqual(await values('later'), ['{"sent":"in the background"}'])

  const requests = watchRequests()
  const short = { ...config, producer: { deliveryTimeout: '1500ms' } } as const
  await using producer = openProducer(short, { dial: requests.dial })
  await producer.send(users, { value: 3 })
  const attempts: number[] = []
  const unsubscribe = monitor.subscribe({
    onProducerRetried: ({ topic, attempt }) => {
      if (topic === scene.topic('users')) attempts.push(attempt)
    },
  })
  // Every acknowledgement is lost on its way.
  requests.breakOn('Produce')
  const error: unknown = await responder.call({ value: { id: 4 } }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  requests.breakOn(undefined)
  unsubscribe()
  assert.ok(isFailure(error, 'MR_PRODUCER_OUTCOME_UNKNOWN', 'MR_PRODUCER_EXPIRED'), String(error))
  assert.ok(attempts.length >= 2, `an event for each attempt: ${attempts.join()}`)
  assert.deepEqual(
    attempts,
    attempts.toSorted((a, b) => a - b),
  )
})
