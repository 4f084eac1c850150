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
})
