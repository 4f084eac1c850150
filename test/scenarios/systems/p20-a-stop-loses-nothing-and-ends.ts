/**
 * A stop in the middle of work: what is in hand is finished and committed, what was sent is delivered, nothing is handled
 * twice by the next start; and it ends within its bound, though a handler never does.
 */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const count = 60

await scenario({ topics: { orders: { partitions: 3 }, done: {}, stuck: {} } }, async (scene) => {
  const orders = defineTopic('orders')
  const done = defineTopic('done')
  const finished: string[] = []
  const consumer = defineConsumer({
    topic: orders,
    group: 'work',
    commit: { interval: '1h' },
    async each({ partition, offset }, { send }) {
      await wait(5)
      await send(done, { value: `${partition}/${offset}` })
      finished.push(`${partition}/${offset}`)
    },
  })
  const app = scenarioApp(scene, { topics: [done], consumers: [consumer] })
  const messages = Array.from({ length: count }, (_, n) => ({ partition: n % 3, value: '1' }))
  await scene.send('orders', messages)
  for (const until of [10, 30, count]) {
    await using worker = await app.start()
    await scene.until(`${until} are done`, () => finished.length >= until)
    worker.producer.enqueue(done, { value: 'enqueued' })
    assert.equal(await worker.stop(), 0)
  }
  assert.equal(finished.length, count, 'nothing came twice')
  assert.equal(new Set(finished).size, count)
  const { records } = await scene.log('done')
  const written = records.map(({ value }) => String(value))
  assert.equal(written.filter((text) => text === '"enqueued"').length, 3)
  assert.equal(written.length, count + 3)

  // One that never ends is left behind at the bound, named, and comes again.
  const stuck = defineConsumer({
    topic: defineTopic('stuck'),
    group: 'stuck',
    each: () => new Promise(() => undefined),
  })
  await scene.send('stuck', [{ value: '1' }])
  const other = scenarioApp(scene, { consumers: [stuck] })
  const worker = await other.start()
  await scene.until('it runs', () => worker.partitions.some(({ jobs }) => jobs.length > 0))
  assert.equal(await worker.stop({ timeout: '1s' }), 2)
  assert.equal(worker.state, 'terminated')
  assert.equal((await other.committed('stuck', 'stuck')) ?? 0, 0)
})
