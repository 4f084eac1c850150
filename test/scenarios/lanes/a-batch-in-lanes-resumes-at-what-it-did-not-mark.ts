/** What a batch marked before it failed does not come again, neither at once nor after a restart: over gaps as well. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, text } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events', { key: text() })

await scenario({ topics: { events: {} } }, async (scene) => {
  const batches: number[][] = []
  let isBroken = true
  const consumer = defineConsumer({
    topic: events,
    group: 'sums',
    concurrency: 3,
    backoff: '20ms',
    batch(messages, { mark }) {
      batches.push(Array.from(messages, ({ offset }) => offset))
      const bad = [...messages].filter(({ key }) => key === 'bad')
      for (const message of messages) if (!bad.includes(message) || !isBroken) mark(message)
      if (bad.length > 0 && isBroken) throw new Error('the bad key')
    },
  })
  const keys = ['a', 'bad', 'b', 'a', 'bad', 'c', 'b', 'a']
  await scene.send(
    'events',
    keys.map((key, n) => ({ key, value: String(n) })),
  )
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.until('it was retried', () => batches.length >= 4)
  }
  const times = (offset: number): number => batches.flat().filter((own) => own === offset).length
  for (const [offset, key] of keys.entries())
    if (key === 'bad') assert.ok(times(offset) >= 2)
    else assert.equal(times(offset), 1)
  assert.equal(await committed('sums', 'events'), 1)

  isBroken = false
  batches.length = 0
  {
    await using worker = await start()
    await scene.until('the rest came', () => batches.flat().length >= 2)
    await scene.until('nothing is left', () => worker.partitions[0]?.lag === 0)
  }
  assert.deepEqual(batches.flat(), [1, 4])
  assert.equal(await committed('sums', 'events'), 8)
})
