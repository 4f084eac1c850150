/** Two workers with one instance id: the newer has the partitions, the older is fenced, finishes what it can and ends with 1; it neither leaves nor comes back. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: { partitions: 2 } } }, async (scene) => {
  const seen: string[] = []
  const consumer = defineConsumer({
    topic: defineTopic('orders'),
    group: 'work',
    each: ({ partition, offset }) => void seen.push(`${partition}/${offset}`),
  })
  const app = scenarioApp(
    scene,
    { consumers: [consumer] },
    { instanceId: 'web-1', heartbeat: '200ms' },
  )
  const log = keptLog()
  const older = await app.start({ log: log.logger })
  await scene.until('it has both', () => older.partitions.length === 2)
  const newer = await app.start()
  await scene.until('the newer has both', () => newer.partitions.length === 2)
  assert.equal(await older.done, 1)
  assert.ok(log.lines.some(({ level, text }) => level === 'error' && /web-1|fenced/i.test(text)))
  assert.equal(older.health().isLive, false)
  await scene.send('orders', [
    { partition: 0, value: '1' },
    { partition: 1, value: '1' },
  ])
  await scene.until('the newer works', () => seen.length === 2)
  const [group] = await scene.client.admin.describeGroups([scene.group('work')])
  assert.equal(group?.members.length, 1)
  assert.equal(await newer.stop(), 0)
})
