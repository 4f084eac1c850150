/**
 * Enqueues three messages and does nothing more: as a script that comes to its end, connected already or not yet, or as a
 * worker that is told to stop. Background delivery would begin long after all of them.
 */
import { defineApp, openProducer, startWorker } from '../../../packages/millrace/src/app/index.ts'

const { brokers, topic, kind } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly kind: 'script' | 'connected' | 'worker'
}
const config = { brokers, producer: { deliveryInterval: '100s' }, app: defineApp({}) }

if (kind !== 'worker') {
  const producer = openProducer(config)
  if (kind === 'connected') await producer.send(topic, { key: 'k', value: 0 })
  for (const value of [1, 2, 3]) producer.enqueue(topic, { key: 'k', value })
} else {
  const worker = await startWorker(config)
  for (const value of [1, 2, 3]) worker.producer.enqueue(topic, { key: 'k', value })
  process.stdout.write(`${JSON.stringify({ state: worker.state })}\n`)
}
