import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from '../errors/index.ts'
import { manualClock } from '../kit/index.ts'
import { kafkaFailure } from './kafka-failure.ts'
import { retrying } from './retrying.ts'

const transient = kafkaFailure('try', 15)
const final = kafkaFailure('try', 29)

const forever = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error)
    })
  })

describe('retrying', () => {
  it('goes on after retriable failures, waiting longer each time', async () => {
    const clock = manualClock()
    const times: number[] = []
    const work = retrying({ what: 'it', clock, timeoutMs: 10_000 }, (_signal, attempt) => {
      times.push(clock.monotonicMs())
      return attempt < 4 ? Promise.reject(transient) : Promise.resolve('done')
    })
    await clock.advanceAsync(5000)
    assert.equal(await work, 'done')
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0))
    assert.ok(
      gaps.every((gap, at) => gap >= 80 * 2 ** at && gap <= 121 * 2 ** at),
      gaps.join(),
    )
    assert.equal(clock.waiting, 0)
  })

  it('ends at once on a failure that will not pass', async () => {
    let attempts = 0
    const work = retrying({ what: 'it', clock: manualClock(), timeoutMs: 10_000 }, () => {
      attempts++
      return Promise.reject(final)
    })
    await assert.rejects(work, (error) => error === final)
    assert.equal(attempts, 1)
  })

  it('ends when the time is over, with the last failure as the cause', async () => {
    const clock = manualClock()
    const work = retrying({ what: 'it', clock, timeoutMs: 2000 }, () => Promise.reject(transient))
    const rejected = assert.rejects(
      work,
      (error) => isFailure(error, 'MR_CLIENT_TIMEOUT') && error.cause === transient,
    )
    await clock.advanceAsync(2000)
    await rejected
    assert.equal(clock.waiting, 0)
  })

  it('aborts the attempt that is under way, at the deadline and with the caller', async () => {
    const clock = manualClock()
    const late = retrying({ what: 'it', clock, timeoutMs: 2000 }, forever)
    const rejected = assert.rejects(late, (error) => isFailure(error, 'MR_CLIENT_TIMEOUT'))
    await clock.advanceAsync(2000)
    await rejected

    const leaving = new AbortController()
    const left = retrying({ what: 'it', clock, timeoutMs: 2000, signal: leaving.signal }, forever)
    leaving.abort(new Error('enough'))
    await assert.rejects(left, /enough/)
    assert.equal(clock.waiting, 0)
  })
})
