/** What cannot be committed is left, and comes again; the stop is still a clean one, within its bound. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events')

await scenario({ skipOn: { kafka: 'it stops the broker' } }, async (scene) => {
  const seen: number[] = []
  const consumer = defineConsumer({
    topic: events,
    commit: { interval: '1h' },
    each: ({ offset }) => void seen.push(offset),
  })
  const broker = await startTestBroker({ topics: { [scene.topic('events')]: 1 } })
  const { start } = scenarioApp(scene, { consumers: [consumer] }, { brokers: [broker.address] })
  await using worker = await start()
  await worker.producer.send(events, { value: 1 })
  await scene.until('it was handled', () => seen.length === 1)
  await broker.stop()
  worker.producer.enqueue(events, { value: 2 })
  const exitCode = await worker.stop({ timeout: '6s' })
  assert.equal(exitCode, 0)
  assert.equal(worker.state, 'stopped')
})
