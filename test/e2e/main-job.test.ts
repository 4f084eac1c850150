import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

import { killLoop } from './kill-loop.ts'
import { assertTotals, countAccessLog, facts, startMainJob, type Report } from './main-job.ts'

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

  it('ends with the same totals after 20 kills', async (test) => {
    await killLoop(20, Date.now() % 1_000_000, (line) => test.diagnostic(line))
  })
})
