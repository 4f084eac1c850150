/**
 * A handler that computes without a pause blocks the event loop, and heartbeats with it: that is told, with the name of the
 * handler and the message it is at, while the group goes on as before.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const images = defineTopic('images')
const blockMs = 1800

await scenario({ topics: { images: {} } }, async (scene) => {
  const delays: { readonly delayMs: number; readonly jobs: readonly string[] }[] = []
  let joins = 0
  const unsubscribe = monitor.subscribe({
    onProcessLoopDelay: ({ delayMs, jobs }) => void delays.push({ delayMs, jobs }),
    onGroupJoining: () => void joins++,
  })
  const resize = defineConsumer({
    topic: images,
    group: 'resize',
    name: 'resize',
    async each() {
      const endMs = performance.now() + blockMs
      while (performance.now() < endMs);
      // The watch looks while the handler still runs, as it would between two steps of a longer one.
      await scene.until('it was told', () => delays.length > 0)
    },
  })
  const { lines, logger } = keptLog()
  const app = scenarioApp(scene, { consumers: [resize] })
  {
    await using worker = await app.start({ log: logger })
    const before = joins
    await scene.send('images', [{ value: '1' }])
    await scene.until('it is handled', async () => {
      await worker.commit()
      return (await app.committed('resize', 'images')) === 1
    })
    assert.equal(joins, before, 'no rebalance')
  }
  unsubscribe()
  const [told] = delays
  assert.ok(told !== undefined && told.delayMs >= 1000)
  assert.match(told.jobs.join(), /^resize images\/0:0 for \d+ s$/)
  const warning = lines.find(({ text }) => text.includes('resize images/0:0'))
  assert.equal(warning?.level, 'warn', 'a line names it as well')
})
