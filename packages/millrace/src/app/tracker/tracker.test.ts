import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { Tracker } from './tracker.ts'

describe('tracker', () => {
  it('holds the position at the first unfinished message, whatever is finished above it', () => {
    const tracker = new Tracker(7)
    for (const offset of [7, 8, 9, 12, 13]) tracker.start(offset)
    tracker.finish(9)
    tracker.finish(12)
    assert.equal(tracker.position, 7)
    tracker.finish(7)
    assert.equal(tracker.position, 8)
    tracker.finish(8)
    assert.equal(tracker.position, 13)
    tracker.finish(13)
    assert.equal(tracker.position, 14)
  })

  it('takes the same mark twice as nothing', () => {
    const tracker = new Tracker(0)
    tracker.start(0)
    tracker.start(1)
    assert.equal(tracker.finish(1), true)
    assert.equal(tracker.finish(1), false)
    assert.equal(tracker.finish(0), true)
    assert.equal(tracker.finish(0), false)
    assert.equal(tracker.finish(5), false)
  })

  it('never passes an unfinished message and never stays below a finished run', () => {
    const step = fc.record({ gap: fc.integer({ min: 1, max: 3 }), finish: fc.nat({ max: 40 }) })
    fc.assert(
      fc.property(fc.nat(1000), fc.array(step, { maxLength: 200 }), (first, steps) => {
        const tracker = new Tracker(first, 50)
        const started: number[] = []
        const finished = new Set<number>()
        let next = first
        for (const { gap, finish } of steps) {
          if (!tracker.isFull) {
            tracker.start(next)
            started.push(next)
            next += gap
          }
          const chosen = started[finish % started.length]
          if (chosen !== undefined && finish % 3 !== 0) {
            assert.equal(tracker.finish(chosen), !finished.has(chosen))
            finished.add(chosen)
          }
          const expected = started.find((offset) => !finished.has(offset))
          assert.equal(tracker.position, expected ?? (started.at(-1) ?? first - 1) + 1)
          assert.equal(tracker.unfinished, started.length - finished.size)
          assert.ok(tracker.span <= 50)
        }
      }),
    )
  })
})
