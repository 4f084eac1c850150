import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

import {
  openRouteStore,
  summariseAll,
  type RouteStore,
} from '../../packages/millrace/src/drain/index.ts'
import { noRedis, startRedis } from '../integration/drain/redis-server.ts'
import { killLoop } from './kill-loop.ts'
import { assertTotals, countAccessLog, facts, startMainJob, type Report } from './main-job.ts'
import { readView2016 } from './view-2016.ts'

type RouteCell = Awaited<ReturnType<RouteStore['totals']>>[number]

const root = join(import.meta.dirname, '../..')

describe('the main job', () => {
  let folder = ''
  let first: Report | undefined

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-main-job-'))
  })
  after(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('ends with the totals that the data has', async () => {
    const { stdout } = await promisify(execFile)(
      'npm',
      [
        'start',
        '--silent',
        '--',
        '--once',
        '--json',
        '--data',
        folder,
        '--port',
        '0',
        '--drain-port',
        '0',
      ],
      { cwd: root, maxBuffer: 64 * 1024 * 1024 },
    )
    first = JSON.parse(stdout) as Report
    assertTotals(first)
  })

  it('counts what the demo site really answered', async () => {
    const site = await countAccessLog(join(folder, 'site-access.log'))
    assert.equal(site.lines, facts.requests)
    assert.equal(site.ids.size, facts.requests)
    assert.deepEqual(site.methods, first?.methods)
    assert.deepEqual(site.statuses, first?.statuses)
  })

  it('replayed each read on the other site', async () => {
    const staging = await countAccessLog(join(folder, 'staging-access.log'))
    assert.equal(staging.ids.size, facts.reads)
    assert.deepEqual(staging.methods, { GET: facts.methods.GET, HEAD: facts.methods.HEAD })
  })

  it('changes no total when started again from the kept data', async () => {
    const second = await startMainJob(folder).report
    assert.ok(second)
    assertTotals(second)
    assert.equal(second.routeCount, first?.routeCount)
  })

  it(
    'gives Redis, with the view of 2016, what the local store holds',
    { skip: noRedis ?? false },
    async () => {
      await using server = await startRedis()
      // The same topic, folded again: this store stands nowhere yet.
      const third = await startMainJob(folder, { REDIS_URL: server.url }).report
      assert.ok(third)
      assertTotals(third)

      await using local = await openRouteStore({ folder, isReadOnly: true })
      await using remote = await openRouteStore({ redis: server.url })
      const byRoute = (left: RouteCell, right: RouteCell): number =>
        left.route < right.route ? -1 : 1
      assert.deepEqual(
        (await remote.totals()).toSorted(byRoute),
        (await local.totals()).toSorted(byRoute),
      )
      const view = await readView2016(server.url)
      const all = summariseAll(await local.totals())
      assert.deepEqual(view.paths, new Map(await local.paths()))
      assert.deepEqual(view.statuses, all.statuses)
      assert.deepEqual(view.service, { sum: all.service.sum, count: all.service.count })
      assert.deepEqual(view.connect, { sum: all.connect.sum, count: all.connect.count })
      assert.equal(view.rawPaths, facts.rawPaths)
    },
  )

  it('ends with the same totals after 20 kills', async (test) => {
    await killLoop(20, Date.now() % 1_000_000, (line) => test.diagnostic(line))
  })
})
