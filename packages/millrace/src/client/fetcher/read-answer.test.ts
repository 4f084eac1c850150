import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { encodeBatch } from '../../protocol/index.ts'
import { AbortedFilter } from './aborted-filter.ts'
import { readAnswer } from './read-answer.ts'

function batch(
  baseOffset: number,
  count: number,
  attributes = 0,
  lastOffsetDelta?: number,
): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    offset: baseOffset + index,
    timestamp: 1,
    key: null,
    value: Buffer.from(`${baseOffset + index}`),
    headers: [],
  }))
  const fields = { baseOffset, attributes, producerId: 1, producerEpoch: 0, baseSequence: 0 }
  return encodeBatch(
    lastOffsetDelta === undefined ? fields : { ...fields, lastOffsetDelta },
    records,
  )
}

describe('reading a Fetch answer', () => {
  it('goes past batches that compaction has emptied', () => {
    const records = Buffer.concat([batch(0, 2), batch(2, 0, 0, 5), batch(8, 1), batch(9, 0, 0, 0)])
    const read = readAnswer(records, 0, undefined, 1)
    assert.deepEqual(
      read.batches.map(({ count, nextOffset }) => [count, nextOffset]),
      [
        [2, 8],
        [1, 10],
      ],
    )
    assert.equal(read.nextOffset, 10)
    assert.deepEqual(read.stop, { at: 'end' })
  })

  it('moves on when nothing of it is to be delivered', () => {
    const read = readAnswer(batch(4, 0, 0, 3), 5, new AbortedFilter(), 1)
    assert.deepEqual([read.batches.length, read.nextOffset], [0, 8])
  })

  it('refuses an answer that would never move the reader on', () => {
    assert.equal(readAnswer(batch(0, 2), 5, undefined, 1).stop.at, 'fault')
    assert.equal(
      readAnswer(Buffer.concat([batch(5, 2), batch(5, 2)]), 5, undefined, 1).stop.at,
      'fault',
    )
  })

  it('survives any bytes, and never goes back', () => {
    const good = Buffer.concat([batch(0, 3), batch(3, 1, 0x10), batch(4, 2)])
    const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), fc.nat(good.length), (changes, length) => {
        const bytes = Buffer.from(good.subarray(0, length))
        for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to
        const read = readAnswer(bytes, 0, new AbortedFilter(), 1)
        assert.ok(read.nextOffset >= 0)
        let next = 0
        for (const one of read.batches) {
          assert.ok(one.nextOffset > next)
          next = one.nextOffset
        }
      }),
      { numRuns: 500 },
    )
  })
})
