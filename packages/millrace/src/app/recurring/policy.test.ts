import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { cronTimes } from './cron.ts'
import { decide, newJob, type JobState, type Situation } from './policy.ts'

const minute = 60_000
const start = Date.UTC(2026, 0, 1, 12, 0, 30)
const hourly = cronTimes('0 * * * *', 'UTC')
const one = Date.UTC(2026, 0, 1, 13)

const at = (nowMs: number, more: Partial<Situation> = {}): ReturnType<typeof decide> =>
  decide({
    state: newJob(start),
    times: hourly,
    missed: 'once',
    isEnabled: true,
    request: undefined,
    nowMs,
    ...more,
  })
const killed: JobState = {
  throughMs: one,
  running: { dueMs: one, startedAtMs: one, worker: 'gone' },
  requestId: null,
}

describe('a recurring job', () => {
  it('runs once for each due time, and makes nothing up for the time before it was first seen', () => {
    assert.deepEqual(at(one - 1), { kind: 'wait' })
    assert.deepEqual(at(one), { kind: 'run', reason: 'due', dueMs: one })
    assert.deepEqual(at(one + 15_000), { kind: 'run', reason: 'due', dueMs: one })
    assert.deepEqual(at(one + 15_000, { state: newJob(one) }), { kind: 'wait' })
  })

  it('makes up for all that it missed with one run, or drops it', () => {
    const late = one + 3 * 60 * minute + 20 * minute
    const last = one + 3 * 60 * minute
    assert.deepEqual(at(late), { kind: 'run', reason: 'missed', dueMs: last })
    const dropped = { kind: 'drop', throughMs: last, isKilled: false }
    assert.deepEqual(at(late, { missed: 'none' }), dropped)
    // Others were missed, this one is due.
    assert.deepEqual(at(last + 1000, { missed: 'none' }), {
      kind: 'run',
      reason: 'due',
      dueMs: last,
    })
    assert.deepEqual(at(last + 1000), { kind: 'run', reason: 'missed', dueMs: last })
  })

  it('repeats the run of a worker that was killed, or drops it', () => {
    const now = one + 5 * minute
    assert.deepEqual(at(now, { state: killed }), { kind: 'run', reason: 'again', dueMs: one })
    assert.deepEqual(at(now, { state: killed, missed: 'none' }), {
      kind: 'drop',
      throughMs: one,
      isKilled: true,
    })
  })

  it('passes its due times while it is disabled, and runs by hand all the same', () => {
    const now = one + 1000
    const off = { isEnabled: false }
    assert.deepEqual(at(now, off), { kind: 'drop', throughMs: one, isKilled: false })
    const request = { id: 'r1' }
    assert.deepEqual(at(now, { ...off, request }), { kind: 'run', reason: 'hand', dueMs: now })
    const state = { ...newJob(one), requestId: 'r1' }
    assert.deepEqual(at(now, { request, state }), { kind: 'wait' })
  })

  it('keeps to its time zone when clocks change', () => {
    const berlin = cronTimes('0 3 * * *', 'Europe/Berlin')
    assert.equal(berlin.next(Date.UTC(2026, 2, 28, 2)), Date.UTC(2026, 2, 29, 1))
    assert.equal(berlin.last(Date.UTC(2026, 2, 29, 1)), Date.UTC(2026, 2, 29, 1))
    assert.equal(berlin.last(Date.UTC(2026, 2, 29, 1) - 1), Date.UTC(2026, 2, 28, 2))
  })
})
