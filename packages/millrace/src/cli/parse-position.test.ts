import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parseEnd, parsePosition } from './parse-position.ts'

describe('a position', () => {
  const now = new Date(2026, 0, 31, 18, 30).getTime()
  it('is what people write', () => {
    assert.deepEqual(parsePosition('start', now), { at: 'start' })
    assert.deepEqual(parsePosition('42', now), { at: 'offset', offset: 42 })
    assert.deepEqual(parsePosition('-100', now), { at: 'last', count: 100 })
    assert.deepEqual(parsePosition('@17', now), { at: 'time', timestampMs: 17 })
    assert.deepEqual(parsePosition('2h ago', now), { at: 'time', timestampMs: now - 7_200_000 })
    assert.deepEqual(parsePosition('14:05', now), {
      at: 'time',
      timestampMs: new Date(2026, 0, 31, 14, 5).getTime(),
    })
    assert.deepEqual(parsePosition('2026-01-31T00:00Z', now), {
      at: 'time',
      timestampMs: Date.UTC(2026, 0, 31),
    })
    assert.throws(() => parsePosition('noon-ish', now), { code: 'MR_CLI_USAGE' })
  })
  it('ends a reader where something can still be read before it', () => {
    assert.equal(parseEnd(undefined, now), 'forever')
    assert.equal(parseEnd('end', now), 'end')
    assert.equal(parseEnd('42', now), 42)
    assert.deepEqual(parseEnd('@17', now), { timestampMs: 17 })
    assert.throws(() => parseEnd('start', now), { code: 'MR_CLI_USAGE' })
  })
})
