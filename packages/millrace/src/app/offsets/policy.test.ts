import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { Tracker } from '../tracker/tracker.ts'
import { automaticOffsets, manualOffsets } from './policy.ts'

const started = (...offsets: number[]): Tracker => {
  const tracker = new Tracker(offsets[0] ?? 0)
  for (const offset of offsets) tracker.start(offset)
  return tracker
}

describe('automatic offsets', () => {
  it('offers the offset after what was finished', () => {
    const policy = automaticOffsets(started(42), () => 43)
    assert.equal(policy.position(), 42)
    assert.equal(policy.finished(42), true)
    assert.equal(policy.position(), 43)
  })

  it('passes control records once everything is finished', () => {
    const policy = automaticOffsets(started(42), () => 45)
    policy.finished(42)
    assert.equal(policy.position(), 45)
  })

  it('finishes the marked message alone', () => {
    const policy = automaticOffsets(started(1, 2, 3), () => 4)
    assert.equal(policy.mark(3, { rewind: false }), true)
    assert.equal(policy.position(), 1)
  })
})

describe('manual offsets', () => {
  it('commits nothing that was not marked', () => {
    const policy = manualOffsets(started(5, 6, 7), undefined)
    policy.finished(5)
    assert.equal(policy.position(), undefined)
    assert.equal(policy.mark(6, { rewind: false }), true)
    assert.equal(policy.position(), 7)
  })

  it('goes back only when told to', () => {
    const policy = manualOffsets(started(5, 6, 7), 5)
    policy.mark(7, { rewind: false })
    assert.equal(policy.mark(7, { rewind: false }), false)
    assert.equal(policy.mark(5, { rewind: false }), false)
    assert.equal(policy.position(), 8)
    assert.equal(policy.mark(5, { rewind: true }), true)
    assert.equal(policy.position(), 6)
  })

  it('marks a dead letter when nothing before it is unmarked, over gaps and from the start', () => {
    const first = manualOffsets(started(7, 9), undefined)
    assert.equal(first.settled(7), true)
    assert.equal(first.position(), 8)
    assert.equal(first.settled(9), true)
    assert.equal(first.position(), 10)
  })

  it('leaves a dead letter unmarked behind what is unmarked or unfinished', () => {
    const unmarked = manualOffsets(started(5, 6), 5)
    unmarked.finished(5)
    assert.equal(unmarked.settled(6), false)
    assert.equal(unmarked.position(), 5)

    const unfinished = manualOffsets(started(5, 6), 5)
    assert.equal(unfinished.settled(6), false)
    assert.equal(unfinished.position(), 5)

    const rewound = manualOffsets(started(5, 6, 7), 5)
    rewound.mark(6, { rewind: false })
    rewound.mark(5, { rewind: true })
    assert.equal(rewound.settled(7), false)
    assert.equal(rewound.position(), 6)
  })
})
