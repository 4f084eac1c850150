/**
 * Dynamic members that are replaced all at once, each while the others join and leave and handlers run: every stop ends in
 * good order, the group is steady afterwards, every partition has an owner, and nothing is lost or handled twice.
 */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import {
  defineConsumer,
  defineTopic,
  type Worker,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const partitions = 6

await scenario({ topics: { orders: { partitions } } }, async (scene) => {
  const { until } = scene
  const finished: string[] = []
  const consumer = defineConsumer({
    topic: defineTopic('orders'),
    group: 'work',
    commit: { interval: '20ms' },
    async each({ partition, offset }) {
      await wait(5)
      finished.push(`${partition}/${offset}`)
    },
  })
  const app = scenarioApp(scene, { consumers: [consumer] }, { heartbeat: '100ms' })
  let sent = 0
  const isOn = { value: true }
  const sending = (async () => {
    while (isOn.value) {
      const batch = Array.from({ length: 12 }, (_, n) => ({
        partition: (sent + n) % partitions,
        value: '1',
      }))
      await scene.send('orders', batch)
      sent += batch.length
      await wait(20)
    }
  })()
  const started = (count: number): Promise<Worker[]> =>
    Promise.all(Array.from({ length: count }, () => app.start()))
  let running = await started(3)
  scene.watch('workers', () => running.map(({ state, partitions: own }) => [state, own.length]))

  for (let deploy = 0; deploy < 3; deploy++) {
    const old = running
    // The new ones come while the old ones go, in no order, without waiting for a steady group.
    const coming = started(3)
    const codes = await Promise.all(
      old.map(async (worker, index) => {
        await wait(index * 15)
        return worker.stop({ timeout: '20s' })
      }),
    )
    assert.deepEqual(codes, [0, 0, 0])
    running = await coming
  }
  await until('every partition has an owner', () => {
    const owned = running.flatMap((worker) => worker.partitions.map(({ partition }) => partition))
    return owned.length === partitions && new Set(owned).size === partitions
  })
  isOn.value = false
  await sending
  await until('all are handled', () => new Set(finished).size === sent, {
    lastSeen: () => [finished.length, sent],
  })
  assert.equal(finished.length, sent, 'none twice')
  for (const worker of running) assert.equal(await worker.stop(), 0)
})
