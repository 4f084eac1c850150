/** Members that come and go cost the joins that they need, and no more: no storm follows, and commits go on meanwhile. */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  type Worker,
} from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: { partitions: 6 } } }, async (scene) => {
  const { until } = scene
  const groupId = scene.group('work')
  const joins: string[] = []
  const lost: unknown[] = []
  const failed: unknown[] = []
  const mine = (payload: { readonly groupId: string }): boolean => payload.groupId === groupId
  const unsubscribe = [
    events.groupJoining.subscribe((one) => mine(one) && joins.push(one.reason)),
    events.groupLost.subscribe((one) => mine(one) && lost.push(one)),
    events.offsetsCommitFailed.subscribe((one) => mine(one) && failed.push(one)),
  ]
  scene.watch('joins', () => joins)
  let handled = 0
  const consumer = defineConsumer({
    topic: defineTopic('orders'),
    group: 'work',
    commit: { interval: '20ms' },
    each: () => void handled++,
  })
  const app = scenarioApp(scene, { consumers: [consumer] }, { heartbeat: '200ms' })
  const workers: Worker[] = []
  const shared = (): boolean => {
    const shares = workers.map(({ partitions }) => partitions.length)
    return shares.every((share) => share === 6 / workers.length)
  }
  const isOn = { value: true }
  let sent = 0
  const sending = (async () => {
    while (isOn.value) {
      await scene.send('orders', [{ partition: sent % 6, value: '1' }])
      sent++
    }
  })()
  /** Joins that a change cost until every member has its share and is steady. */
  const costOf = async (change: () => Promise<unknown>): Promise<number> => {
    const before = joins.length
    await change()
    await until('all have their share', () => {
      return shared() && workers.every((one) => one.health().groups[0]?.phase === 'steady')
    })
    const now = handled
    await until('work goes on', () => handled > now + 30)
    return joins.length - before
  }
  // Each member joins to tell what it has, and once more to give up what moves (KIP-429).
  const start = async (): Promise<unknown> => workers.push(await app.start())
  const stop = async (): Promise<unknown> => workers.pop()?.stop()
  const costs = {
    first: await costOf(start),
    second: await costOf(start),
    third: await costOf(start),
    leaving: await costOf(stop),
  }
  scene.watch('costs', () => costs)
  assert.ok(costs.first <= 2, JSON.stringify(costs))
  assert.ok(costs.second <= 2 * 2 + 1, JSON.stringify(costs))
  assert.ok(costs.third <= 3 * 2 + 1, JSON.stringify(costs))
  assert.ok(costs.leaving <= 2 * 2, JSON.stringify(costs))
  assert.deepEqual(lost, [])
  isOn.value = false
  await sending
  await until('all are handled', () => handled >= sent)
  assert.equal(handled, sent, 'nothing came twice')
  for (const one of workers) assert.equal(await one.stop(), 0)
  // Whoever commits while the group changes waits and passes; nothing is refused for good.
  assert.deepEqual(
    failed.filter((one) => !(one as { readonly willRetry: boolean }).willRetry),
    [],
  )
  for (const end of unsubscribe) end()
})
