/** Only what was sent after joining arrives; the choice ends with the first commit. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events')

await scenario({ topics: { events: {} } }, async (scene) => {
  const seen: unknown[] = []
  const consumer = defineConsumer({
    topic: events,
    group: 'latest',
    start: 'latest',
    commit: { interval: '100ms' },
    each: ({ value }) => void seen.push(value),
  })
  await scene.send('events', [{ value: '"before"' }, { value: '"before"' }])
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  {
    await using worker = await start()
    await scene.until('the position is found and committed', async () => {
      return (await committed('latest', 'events')) === 2
    })
    assert.equal(worker.partitions.length, 1)
    await scene.send('events', [{ value: '"after"' }])
    await scene.until('it came', () => seen.length === 1)
  }
  await scene.send('events', [{ value: '"while away"' }])
  await using worker = await start()
  await scene.until('it was not jumped over', () => seen.length === 2)
  assert.equal(worker.state, 'running')
  assert.deepEqual(seen, ['after', 'while away'])
})
