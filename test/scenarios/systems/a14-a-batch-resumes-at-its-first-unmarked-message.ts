/** What a batch marked before it failed does not come again, neither at once nor after a restart. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events')

await scenario({ topics: { events: {} } }, async (scene) => {
  const batches: number[][] = []
  let isBroken = true
  const consumer = defineConsumer({
    topic: events,
    group: 'sums',
    backoff: '20ms',
    batch(messages, { mark }) {
      batches.push(Array.from(messages, ({ offset }) => offset))
      for (const message of messages) {
        if (message.offset === 2 && isBroken) throw new Error('at two')
        mark(message)
      }
    },
  })
  await scene.send('events', [{ value: '0' }, { value: '1' }, { value: '2' }, { value: '3' }])
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.until('it was retried', () => batches.length >= 3)
  }
  assert.deepEqual(batches[0], [0, 1, 2, 3])
  assert.ok(batches.slice(1).every((batch) => batch[0] === 2))
  assert.equal(await committed('sums', 'events'), 2)

  isBroken = false
  const before = batches.length
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.until('the rest came', () => batches.length > before)
  }
  assert.deepEqual(batches[before], [2, 3])
  assert.equal(await committed('sums', 'events'), 4)
})
