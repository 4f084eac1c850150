/**
 * "Is it healthy?": live and ready have each their own answer, with reasons. Brokers that are away, a blocked partition and
 * a stop are no reason to restart; a handler that hangs is.
 */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  type Worker,
} from '../../../packages/millrace/src/app/index.ts'
import { deferred } from '../../../packages/millrace/src/kit/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

interface Answers {
  readonly live: number
  readonly ready: number
  readonly reasons: readonly string[]
  readonly alarms: readonly string[]
}

async function ask(worker: Worker): Promise<Answers> {
  const get = async (path: string): Promise<{ status: number; body: Answers }> => {
    const response = await fetch(`http://${worker.healthAddress}${path}`)
    return { status: response.status, body: (await response.json()) as Answers }
  }
  const live = await get('/healthz')
  const ready = await get('/readyz')
  const reasons = [...live.body.reasons, ...ready.body.reasons]
  return { live: live.status, ready: ready.status, reasons, alarms: live.body.alarms }
}

await scenario({ topics: { orders: { partitions: 2 } } }, async (scene) => {
  const { until } = scene
  const gate = deferred()
  const consumer = defineConsumer({
    topic: defineTopic('orders'),
    group: 'work',
    slowAfter: '500ms',
    retries: 0,
    exhausted: 'block',
    async each({ value }) {
      if (value === 'bad') throw new Error('no')
      if (value === 'slow') await gate.promise
    },
  })
  const health = { port: 0 }
  const app = scenarioApp(scene, { consumers: [consumer] }, { health })
  const worker = await app.start()
  assert.deepEqual(await ask(worker), { live: 200, ready: 200, reasons: [], alarms: [] })

  await scene.send('orders', [{ partition: 0, value: '"bad"' }])
  await until('it is blocked', async () => (await ask(worker)).alarms.length === 1)
  const blocked = await ask(worker)
  assert.deepEqual([blocked.live, blocked.ready], [200, 200])
  assert.match(blocked.alarms[0] ?? '', /^orders\/0 is blocked: /)

  await scene.send('orders', [{ partition: 1, value: '"slow"' }])
  await until('it is not live', async () => (await ask(worker)).live === 503)
  assert.match((await ask(worker)).reasons.join(), /orders\/1:0 has been running for/)

  const stopping = worker.stop({ timeout: '10s' })
  await until('it is not ready', async () => (await ask(worker)).ready === 503)
  assert.match((await ask(worker)).reasons.join(), /the worker is stopping/)
  gate.resolve()
  assert.equal(await stopping, 0)

  // Brokers that are away, from the start: live, since a restart would find them away as well.
  const nowhere = scenarioApp(
    scene,
    { consumers: [consumer] },
    { brokers: ['127.0.0.1:1'], health, worker: { startTimeout: '100ms' } },
  )
  const lonely = await nowhere.start()
  await until('it says that they are away', async () =>
    (await ask(lonely)).reasons.some((reason) => reason.startsWith('the cluster main has been')),
  )
  const { live, ready } = await ask(lonely)
  assert.deepEqual([live, ready], [200, 503])
  assert.equal(await lonely.stop({ timeout: '2s' }), 0)
})
