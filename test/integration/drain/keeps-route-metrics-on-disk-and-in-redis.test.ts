import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { Redis } from 'ioredis'

import { openRouteStore } from '../../../packages/millrace/src/drain/index.ts'
import { PartitionCounter } from '../../../packages/millrace/src/drain/routes/partition-counter.ts'
import {
  contractStartMs,
  lineOf,
  routeStoreContract,
} from '../../../packages/millrace/src/drain/routes/store.contract.ts'
import { summariseAll } from '../../../packages/millrace/src/drain/routes/route-report.ts'
import { manualClock } from '../../../packages/millrace/src/kit/index.ts'
import { noRedis, startRedis, type RedisServer } from './redis-server.ts'

const skip = noRedis ?? false
const clock = manualClock(contractStartMs)

describe('route metrics', () => {
  let folder = ''
  let server: RedisServer | undefined
  let count = 0

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-routes-'))
    if (noRedis === undefined) server = await startRedis()
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const redisUrl = (): string => server?.url ?? ''
  const emptied = async (): Promise<string> => {
    const redis = new Redis(redisUrl())
    await redis.flushall()
    redis.disconnect()
    return redisUrl()
  }

  routeStoreContract('a file', (limits = {}) =>
    openRouteStore({ folder: join(folder, String(count++)), limits, clock }),
  )
  routeStoreContract(
    'Redis',
    async (limits = {}) => openRouteStore({ redis: await emptied(), limits, clock }),
    { skip },
  )

  it('are there after the store was opened anew, and for a second reader', async () => {
    const place = join(folder, 'again')
    {
      await using store = await openRouteStore({ folder: place, clock })
      const counter = await PartitionCounter.open(store, 'f', (path) => path)
      await counter.count([{ offset: 0, line: lineOf() }], 0)
      await using reader = await openRouteStore({ folder: place, isReadOnly: true })
      assert.equal(summariseAll(await reader.totals()).n, 1)
    }
    await using store = await openRouteStore({ folder: place, clock })
    assert.equal(await store.position('f'), 1)
    assert.equal(summariseAll(await store.totals()).n, 1)
  })

  it('give the readers of 2016 the numbers they know', { skip }, async () => {
    await using store = await openRouteStore({ redis: await emptied(), clock })
    const counter = await PartitionCounter.open(store, 'metrics/router/0', (path) => path)
    const path = '/haiwen/seafile?p=1'
    await counter.count([{ offset: 0, line: lineOf({ path, connectMs: 4, serviceMs: 200 }) }], 0)
    await counter.count([{ offset: 1, line: lineOf({ path, connectMs: 8, serviceMs: 300 }) }], 0)
    const again = await PartitionCounter.open(store, 'metrics/router/0', (other) => other)
    await again.count([{ offset: 1, line: lineOf({ path, connectMs: 8, serviceMs: 300 }) }], 0)

    const redis = new Redis(redisUrl())
    const digest = await redis.hget('routes', path)
    // SHA-256 of the path, as `printf %s '/haiwen/seafile?p=1' | sha256sum` prints it.
    assert.match(digest ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual(await redis.hgetall(`${digest}::connect`), {
      count: '2',
      sum: '12',
      average: '6.0',
    })
    assert.deepEqual(await redis.hgetall(`${digest}::service`), {
      count: '2',
      sum: '500',
      average: '250.0',
    })
    assert.deepEqual(await redis.hgetall(`${digest}::statuses`), { '200': '2' })
    redis.disconnect()
  })

  it('print averages that are no whole number as the shortest text', { skip }, async () => {
    await using store = await openRouteStore({ redis: await emptied(), clock })
    const counter = await PartitionCounter.open(store, 'f', (path) => path)
    const lines = [1, 1, 5].map((serviceMs, offset) => ({ offset, line: lineOf({ serviceMs }) }))
    await counter.count(lines, 0)
    const redis = new Redis(redisUrl())
    const digest = await redis.hget('routes', lineOf().path)
    assert.equal(await redis.hget(`${digest}::service`, 'average'), String(7 / 3))
    redis.disconnect()
  })
})
