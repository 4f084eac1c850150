import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { manualClock } from '../../kit/index.ts'
import { JobWatch } from './job-watch.ts'

describe('the watch over running jobs', () => {
  it('times each job out, also the one after a job that was timed out', () => {
    const clock = manualClock()
    const timedOutAt: number[] = []
    const watch = new JobWatch(
      clock,
      { timeoutMs: 10_000, slowAfterMs: 300_000 },
      { onTimeout: () => timedOutAt.push(clock.monotonicMs()), onSlow: () => undefined },
    )
    const startMs = clock.monotonicMs()
    watch.begin(clock.now())
    clock.advance(12_000)
    watch.end()
    watch.begin(clock.now())
    clock.advance(12_000)
    watch.end()
    assert.deepEqual(
      timedOutAt.map((at) => at - startMs),
      [10_000, 22_000],
    )
    watch.stop()
    assert.equal(clock.waiting, 0)
  })

  it('keeps one timer over many short jobs', () => {
    const clock = manualClock()
    const rules = { timeoutMs: 10_000, slowAfterMs: 300_000 }
    const watch = new JobWatch(clock, rules, {
      onTimeout: () => assert.fail('none was that old'),
      onSlow: () => undefined,
    })
    for (let job = 0; job < 100; job++) {
      watch.begin(clock.now())
      assert.equal(clock.waiting, 1)
      clock.advance(500)
      watch.end()
    }
    watch.stop()
  })
})
