/** While members come and go, a partition has one handler at a time, and no message of it is handled by two at once: whoever gives it up waits for its handler. */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import {
  defineConsumer,
  defineTopic,
  type Worker,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const count = 120

await scenario({ topics: { orders: { partitions: 4 } } }, async (scene) => {
  const running = new Map<number, number>()
  const overlaps: string[] = []
  const finished: string[] = []
  const consumer = defineConsumer({
    topic: defineTopic('orders'),
    group: 'work',
    commit: { interval: '20ms' },
    async each({ partition, offset }) {
      const now = (running.get(partition) ?? 0) + 1
      running.set(partition, now)
      if (now > 1) overlaps.push(`${partition}/${offset}`)
      await wait(15)
      running.set(partition, (running.get(partition) ?? 0) - 1)
      finished.push(`${partition}/${offset}`)
    },
  })
  scene.watch('finished', () => finished)
  const app = scenarioApp(scene, { consumers: [consumer] }, { heartbeat: '100ms' })
  const messages = Array.from({ length: count }, (_, n) => ({ partition: n % 4, value: '1' }))
  await scene.send('orders', messages)
  await using first = await app.start()
  let second: Worker | undefined
  // In the middle of the work one comes, and goes, and comes.
  for (const at of [20, 50, 80]) {
    await scene.until(`${at} are done`, () => finished.length >= at)
    if (second === undefined) second = await app.start()
    else {
      assert.equal(await second.stop(), 0)
      second = undefined
    }
  }
  await scene.until('all are done', () => new Set(finished).size === count)
  await second?.stop()
  assert.equal(await first.stop(), 0)
  assert.deepEqual(overlaps, [])
  assert.equal(finished.length, count, 'and none was handled twice')
})
