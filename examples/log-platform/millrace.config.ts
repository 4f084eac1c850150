import { join } from 'node:path'

import { defineApp, defineConfig } from 'millrace'
import { drainTopic, replayTraffic, routeMetrics, type RouteStoreOptions } from 'millrace/drain'

import { stagingUrl, startPlatform } from './platform.ts'

// `millrace dev` says where it keeps its data before it reads this file.
const dataFolder = process.env['MILLRACE_DATA'] ?? join(import.meta.dirname, '.millrace')
const redis = process.env['REDIS_URL']
const store: RouteStoreOptions = {
  ...(redis === undefined ? { folder: dataFolder } : { redis }),
  limits: { routesPerApp: 2_000 },
}

const router = drainTopic('router', { partitions: 4 })

export default defineConfig({
  clientId: 'log-platform',
  // Killed and started again, the worker has its partitions at once instead of after a session timeout.
  instanceId: 'worker-1',
  app: defineApp({
    topics: [router],
    consumers: [
      // Counts every line once, whatever is killed: the position lies beside the numbers.
      routeMetrics({ topic: router, group: 'metrics', store, start: 'earliest' }),
      // Sends each read to staging again. At least once: staging knows repeats by their request id.
      replayTraffic({
        topic: router,
        group: 'replay',
        to: process.env['REPLAY_HOST'] ?? stagingUrl,
        start: 'earliest',
        delivery: 'at-least-once',
        speed: 2,
      }),
    ],
  }),
  // A feeder that was away for days still finds its unanswered frame remembered.
  drain: { remember: '7d', framesPerSource: 20_000 },
  dev: {
    start: (context: Parameters<typeof startPlatform>[0]) => startPlatform({ ...context, store }),
  },
})
