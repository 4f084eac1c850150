/** Replay stopped: the metrics go on as before. Started again, it catches up from where it was. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineApp, startWorker, type Worker } from '../../../packages/millrace/src/app/index.ts'
import {
  drainTopic,
  openRouteStore,
  replayTraffic,
  routeMetrics,
  startClusterDrain,
  startSite,
  summariseAll,
} from '../../../packages/millrace/src/drain/index.ts'
import { scenario } from '../../harness/scenario.ts'
import { postBody, routerFrame } from '../../integration/drain/logplex-body.ts'

await scenario(
  { topics: { router: { partitions: 4 } } },
  async ({ client, brokers, topic, group, until, watch }) => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-h6-'))
    const router = drainTopic(topic('router'))
    await using staging = await startSite({ requests: [], accessLog: join(folder, 'access.log') })
    await using store = await openRouteStore({ folder })
    await using drain = await startClusterDrain({
      client,
      port: 0,
      topics: { router: router.name, logs: null, unreadable: null },
    })
    const app = defineApp({
      consumers: [
        routeMetrics({ topic: router, store, start: 'earliest' }),
        replayTraffic({
          topic: router,
          to: staging.url,
          start: 'earliest',
          speed: Number.POSITIVE_INFINITY,
          delivery: 'at-least-once',
        }),
      ],
    })
    const start = (include: string): Promise<Worker> =>
      startWorker(
        { brokers, clientId: group('h6'), fetch: { maxWait: '100ms' }, app },
        { signals: false, createTopics: false, env: {}, log: false, include: [include] },
      )
    const counted = async (): Promise<number> => summariseAll(await store.totals()).n
    const feed = async (count: number): Promise<void> =>
      postBody(drain.url, Array.from({ length: count }, () => routerFrame()).join(''))
    watch('staging', () => staging.logged)

    await using metrics = await start('group:metrics')
    const replay = await start('group:replay')
    await feed(50)
    await until('both have them', async () => (await counted()) === 50 && staging.logged === 50)

    assert.equal(await replay.stop(), 0)
    await feed(200)
    await until('the metrics have all', async () => (await counted()) === 250)
    assert.equal(staging.logged, 50)

    await using again = await start('group:replay')
    await until('the replay has caught up', () => staging.logged === 250)
    assert.equal(staging.repeats, 0, 'what was committed was not sent again')
    assert.equal(await counted(), 250)
    assert.deepEqual([metrics.state, again.state], ['running', 'running'])
    await rm(folder, { recursive: true, force: true })
  },
)
