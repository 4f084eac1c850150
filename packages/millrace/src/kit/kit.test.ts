import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'node:test'

import { backoffMs } from './backoff.ts'
import { sleep } from './clock.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { manualClock } from './manual-clock.ts'
import { ownModule } from './own-module.ts'
import { nearest } from './nearest.ts'
import { formatSize, parseSize } from './size.ts'

describe('durations', () => {
  it('are read as people write them', () => {
    const cases = {
      '500ms': 500,
      '30s': 30_000,
      '1.5h': 5_400_000,
      '2h30m': 9_000_000,
      '7d': 604_800_000,
      '15': 15,
    }
    for (const [text, ms] of Object.entries(cases)) assert.equal(parseDuration(text), ms, text)
    for (const text of ['', 'soon', '5 minutes', '-1s', 's5'])
      assert.equal(parseDuration(text), undefined, text)
    assert.equal(parseDuration(-1), undefined)
  })

  it('are written as they are read', () => {
    for (const text of ['1ms', '999ms', '1s', '90s', '5m', '2h', '7d'])
      assert.equal(parseDuration(formatDuration(parseDuration(text) ?? -1)), parseDuration(text))
    assert.equal(formatDuration(90_500), '1m31s')
  })
})

describe('sizes', () => {
  it('tell 1000 from 1024', () => {
    const cases = {
      '64MiB': 67_108_864,
      '1.5GB': 1_500_000_000,
      '100kB': 100_000,
      '10': 10,
      '1 KiB': 1024,
    }
    for (const [text, bytes] of Object.entries(cases)) assert.equal(parseSize(text), bytes, text)
    for (const text of ['', 'big', '1XB', '-1']) assert.equal(parseSize(text), undefined, text)
    assert.equal(formatSize(67_108_864), '64 MiB')
    assert.equal(formatSize(12_400), '12.1 KiB')
  })
})

describe('back-off', () => {
  it('doubles up to its limit', () => {
    const rules = { firstMs: 1000, maxMs: 30_000 }
    const waits = [1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffMs(rules, attempt))
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  })

  it('spreads by its jitter to both sides', () => {
    const rules = { firstMs: 1000, maxMs: 30_000, jitter: 0.2 }
    assert.equal(
      backoffMs(rules, 1, () => 0),
      800,
    )
    assert.equal(backoffMs(rules, 1, () => 0.999_999) > 1199, true)
  })
})

describe('a manual clock', () => {
  it('fires timers in the order of their times, each at its own time', () => {
    const clock = manualClock(0)
    const fired: [string, number][] = []
    clock.after(20, () => fired.push(['late', clock.now()]))
    clock.after(10, () => {
      fired.push(['early', clock.now()])
      clock.after(5, () => fired.push(['between', clock.now()]))
    })
    const cancelled = clock.after(1, () => fired.push(['never', clock.now()]))
    cancelled.cancel()
    clock.advance(30)
    assert.deepEqual(fired, [
      ['early', 10],
      ['between', 15],
      ['late', 20],
    ])
    assert.equal(clock.now(), 30)
  })

  it('moves by the smallest part of a millisecond', () => {
    const clock = manualClock()
    let fired = 0
    const again = (): void => {
      fired += 1
      if (fired < 100) clock.after(1e-6, again)
    }
    again()
    clock.advance(1)
    assert.equal(fired, 100)
    assert.equal(clock.monotonicMs(), 1)
  })

  it('ends a sleep when its signal aborts, and leaves no timer', async () => {
    const clock = manualClock()
    const stop = new AbortController()
    const sleeping = sleep(clock, 1000, stop.signal)
    stop.abort(new Error('stopped'))
    await assert.rejects(sleeping, /stopped/)
    assert.equal(clock.waiting, 0)
  })
})

describe('small things', () => {
  it('finds the word that was meant', () => {
    assert.equal(nearest('topcis', ['topics', 'groups']), 'topics')
    assert.equal(nearest('xyz', ['topics', 'groups']), undefined)
  })

  it('finds modules that are started by their path', () => {
    for (const path of ['app/threads/thread-main', 'broker/thread/thread-main'])
      assert.ok(existsSync(ownModule(path)), path)
  })
})
