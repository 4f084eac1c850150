import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { manualClock } from '../../kit/index.ts'
import { JobWatch } from './job-watch.ts'

interface Job {
  readonly startedAt: number
  isTimedOut: boolean
  isSlow: boolean
}

describe('the watch over running jobs', () => {
  const rules = { timeoutMs: 10_000, slowAfterMs: 300_000 }

  it('times each job out, also the one after a job that was timed out', () => {
    const clock = manualClock()
    const running = new Set<Job>()
    const timedOutAt: number[] = []
    const watch = new JobWatch(clock, rules, running, {
      onTimeout: () => timedOutAt.push(clock.monotonicMs()),
      onSlow: () => undefined,
    })
    const startMs = clock.monotonicMs()
    for (let index = 0; index < 2; index++) {
      const job = { startedAt: clock.now(), isTimedOut: false, isSlow: false }
      running.add(job)
      watch.begin(job)
      clock.advance(12_000)
      running.delete(job)
    }
    assert.deepEqual(
      timedOutAt.map((at) => at - startMs),
      [10_000, 22_000],
    )
    watch.stop()
    assert.equal(clock.waiting, 0)
  })

  it('watches several at once, each by its own age', () => {
    const clock = manualClock()
    const running = new Set<Job>()
    const told: string[] = []
    const started: Job[] = []
    const watch = new JobWatch<Job>(clock, rules, running, {
      onTimeout: (job) => told.push(`${started.indexOf(job)} timed out`),
      onSlow: (job, ageMs) => told.push(`${started.indexOf(job)} slow ${ageMs}`),
    })
    for (let index = 0; index < 3; index++) {
      const job = { startedAt: clock.now(), isTimedOut: false, isSlow: false }
      started.push(job)
      running.add(job)
      watch.begin(job)
      clock.advance(6000)
    }
    assert.deepEqual(told, ['0 timed out', '1 timed out'])
    running.delete(started[0] as Job)
    clock.advance(300_000)
    assert.deepEqual(told.slice(2), ['2 timed out', '1 slow 300000', '2 slow 300000'])
    watch.stop()
  })

  it('keeps one timer over many short jobs', () => {
    const clock = manualClock()
    const running = new Set<Job>()
    const watch = new JobWatch(clock, rules, running, {
      onTimeout: () => assert.fail('none was that old'),
      onSlow: () => undefined,
    })
    for (let index = 0; index < 100; index++) {
      const job = { startedAt: clock.now(), isTimedOut: false, isSlow: false }
      running.add(job)
      watch.begin(job)
      assert.equal(clock.waiting, 1)
      clock.advance(500)
      running.delete(job)
    }
    watch.stop()
  })
})
