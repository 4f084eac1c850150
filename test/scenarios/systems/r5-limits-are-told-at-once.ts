/** At the queue's limit the call throws and an event is published; what is left at a failed close is told one by one. */
import assert from 'node:assert/strict'
import { defineTopic, monitor, openProducer } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users')

await scenario({}, async (scene) => {
  const { config } = scenarioApp(scene, { topics: [users] })
  const given: unknown[] = []
  const full: unknown[] = []
  const failed: unknown[] = []
  const unsubscribe = monitor.subscribe({
    onProducerQueueFull: (event) => full.push(event),
    onProducerBackgroundFailed: (event) => failed.push(event),
  })
  const producer = openProducer({
    ...config,
    // Nobody listens there.
    brokers: ['127.0.0.1:1'],
    producer: { queueLimit: 5, onUndelivered: (message) => given.push(message.value) },
  })
  for (let id = 0; id < 5; id++) producer.enqueue(users, { value: id })
  assert.throws(() => producer.enqueue(users, { value: 5 }), { code: 'MR_PRODUCER_QUEUE_FULL' })
  assert.deepEqual(full, [{ topic: 'users', limit: 5 }])
  // Collected, and never delivered by anybody.
  producer.buffer().add(users, { value: 'forgotten' })
  await producer.close({ timeout: '200ms' })
  unsubscribe()
  assert.deepEqual(given.map(String), ['0', '1', '2', '3', '4', '"forgotten"'])
  assert.equal(failed.length, 6)
})
