/**
 * Group `replay` sends a GET for each logged one to staging, in the recorded rhythm or faster; never a POST. A target
 * that the lines came from is refused; a dead one pauses the consumer, and loses nothing to it.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineApp, startWorker, type Worker } from '../../../packages/millrace/src/app/index.ts'
import {
  drainTopic,
  replayTraffic,
  startClusterDrain,
  startSite,
  type ReplayDefinition,
} from '../../../packages/millrace/src/drain/index.ts'
import { scenario } from '../../harness/scenario.ts'
import { postBody, routerFrame } from '../../integration/drain/logplex-body.ts'

await scenario(
  { topics: { router: { partitions: 1 } } },
  async ({ client, brokers, topic, group, until, watch }) => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-h5-'))
    const accessLog = join(folder, 'access.log')
    const router = drainTopic(topic('router'))
    await using drain = await startClusterDrain({
      client,
      port: 0,
      topics: { router: router.name, logs: null, unreadable: null },
    })
    let staging = await startSite({ requests: [], accessLog })
    const { port, url } = staging
    const start = (name: string, replay: ReplayDefinition): Promise<Worker> =>
      startWorker(
        {
          brokers,
          clientId: group(name),
          fetch: { maxWait: '100ms' },
          app: defineApp({ consumers: [replay] }),
        },
        { signals: false, createTopics: false, env: {}, log: false },
      )

    const startMs = Date.now() - 60_000
    await postBody(
      drain.url,
      [
        routerFrame({ id: 'a', path: '/a?x=1', atMs: startMs }),
        routerFrame({ id: 'b', path: '/b', method: 'POST', atMs: startMs + 10 }),
        routerFrame({ id: 'c', path: '/c d', atMs: startMs + 2000 }),
        routerFrame({ id: 'mrreplay-a', path: '/a', atMs: startMs + 2000 }),
      ].join(''),
    )
    const replay = replayTraffic({
      topic: router,
      to: url,
      start: 'earliest',
      speed: 10,
      delivery: 'at-least-once',
      breakerPause: '100ms',
    })
    watch('replay', () => replay.results)
    {
      await using worker = await start('replay', replay)
      await until('both reads arrived', () => staging.logged === 2)
      const [first, second] = (await readFile(accessLog, 'utf8')).split('\n')
      assert.match(first ?? '', /"GET \/a\?x=1 HTTP\/1\.1" \d+ \d+ mrreplay-a$/)
      assert.match(second ?? '', /"GET \/c%20d HTTP\/1\.1" \d+ \d+ mrreplay-c$/)
      assert.deepEqual(replay.results.skipped, { method: 1, replayed: 1 })
      assert.ok(replay.results.latestMs < 5_000, 'the rhythm was kept')

      await staging.stop()
      await postBody(
        drain.url,
        Array.from({ length: 120 }, (_, index) => routerFrame({ id: `d-${index}` })).join(''),
      )
      await until('the consumer waits for its target', () =>
        worker.partitions.some(({ state }) => state.kind === 'paused'),
      )
      staging = await startSite({ requests: [], accessLog, port })
      await until('all of them arrived after all', () => staging.logged === 122)
    }

    const own = replayTraffic({
      topic: router,
      to: 'http://shop.example:1',
      group: 'own',
      start: 'earliest',
    })
    {
      await using worker = await start('own', own)
      await until('the original host is refused', () =>
        worker.partitions.some(({ state }) => state.kind === 'blocked'),
      )
      assert.equal(own.results.sent, 0)
    }
    await staging.stop()
    await rm(folder, { recursive: true, force: true })
  },
)
