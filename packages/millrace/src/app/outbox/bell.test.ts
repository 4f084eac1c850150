import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { manualClock } from '../../kit/index.ts'
import { Bell, Debounced } from './bell.ts'

const never = new AbortController().signal

describe('a bell', () => {
  it('wakes at a ring, after the time, and at an abort', async () => {
    const clock = manualClock()
    const bell = new Bell()
    const rung = bell.wait(clock, 1000, never)
    bell.ring()
    await rung
    const late = bell.wait(clock, 1000, never)
    await clock.advanceAsync(1000)
    await late
    const controller = new AbortController()
    const aborted = bell.wait(clock, 1000, controller.signal)
    controller.abort()
    await aborted
    await bell.wait(clock, 1000, controller.signal)
  })

  it('keeps a ring that nobody waited for, and only one', async () => {
    const clock = manualClock()
    const bell = new Bell()
    bell.ring()
    bell.ring()
    await bell.wait(clock, 1000, never)
    let isOver = false
    const waiting = bell.wait(clock, 1000, never).then(() => (isOver = true))
    await Promise.resolve()
    assert.equal(isOver, false)
    await clock.advanceAsync(1000)
    await waiting
  })
})

describe('a debounced call', () => {
  it('goes out at once, and once more for all that came meanwhile', async () => {
    const clock = manualClock()
    let calls = 0
    const debounced = new Debounced(clock, 5, () => void calls++)
    for (let count = 0; count < 100; count++) debounced.trigger()
    assert.equal(calls, 1)
    await clock.advanceAsync(5)
    assert.equal(calls, 2)
    await clock.advanceAsync(50)
    assert.equal(calls, 2)
    debounced.trigger()
    assert.equal(calls, 3)
  })
})
