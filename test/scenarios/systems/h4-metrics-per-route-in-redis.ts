/**
 * Group `metrics` reads topic `router` from the latest and keeps, in Redis, the hashes that the readers of 2016 know:
 * `routes`, `<sha256>::connect`, `::service`, `::statuses`. A message that is delivered again counts once.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import {
  defineApp,
  startWorker,
  type MillraceConfig,
} from '../../../packages/millrace/src/app/index.ts'
import {
  drainTopic,
  openRouteStore,
  routeMetrics,
  startClusterDrain,
} from '../../../packages/millrace/src/drain/index.ts'
import { scenario } from '../../harness/scenario.ts'
import { postBody, routerFrame } from '../../integration/drain/logplex-body.ts'
import { noRedis, startRedis } from '../../integration/drain/redis-server.ts'

const path = '/haiwen/seafile?p=1'
const digest = createHash('sha256').update(path).digest('hex')

await scenario(
  {
    topics: { router: { partitions: 1 } },
    skipOn: noRedis === undefined ? {} : { embedded: noRedis, kafka: noRedis },
  },
  async ({ client, brokers, topic, group, until, watch }) => {
    await using server = await startRedis()
    const redis = new Redis(server.url)
    const router = drainTopic(topic('router'))
    await using drain = await startClusterDrain({
      client,
      port: 0,
      topics: { router: router.name, logs: null, unreadable: null },
    })
    const config: MillraceConfig = {
      brokers,
      clientId: group('h4'),
      fetch: { maxWait: '100ms' },
      app: defineApp({
        consumers: [routeMetrics({ topic: router, store: { redis: server.url } })],
      }),
    }
    const start = () =>
      startWorker(config, { signals: false, createTopics: false, env: {}, log: false })
    const counted = async (): Promise<string | null> => redis.hget(`${digest}::statuses`, '200')
    watch('routes', () => redis.status)

    // From the latest: what was there before the group is not counted.
    await postBody(drain.url, routerFrame({ path, connect: 1000, service: 1000 }))
    {
      await using worker = await start()
      await until('the group is at the end', () =>
        worker.partitions.some(({ position }) => position === 1),
      )
      await postBody(drain.url, routerFrame({ path, connect: 4, service: 200 }))
      await postBody(drain.url, routerFrame({ path, connect: 8, service: 300 }))
      await until('both are counted', async () => (await counted()) === '2')
      await worker.kill()
    }
    // Nothing was committed, so both come again to the next one, with one more behind them.
    await using next = await start()
    await postBody(drain.url, routerFrame({ path: '/other', status: 404 }))
    const other = createHash('sha256').update('/other').digest('hex')
    await until(
      'the third is counted',
      async () => (await redis.hget(`${other}::statuses`, '404')) === '1',
    )

    assert.deepEqual(await redis.hgetall('routes'), { [path]: digest, '/other': other })
    assert.deepEqual(await redis.hgetall(`${digest}::connect`), {
      sum: '12',
      count: '2',
      average: '6.0',
    })
    assert.deepEqual(await redis.hgetall(`${digest}::service`), {
      sum: '500',
      count: '2',
      average: '250.0',
    })
    assert.deepEqual(await redis.hgetall(`${digest}::statuses`), { '200': '2' })
    await using store = await openRouteStore({ redis: server.url })
    assert.deepEqual(
      await store.paths(),
      new Map([
        ['/haiwen/seafile', 2],
        ['/other', 1],
      ]),
    )
    assert.equal(next.state, 'running')
    redis.disconnect()
  },
)
