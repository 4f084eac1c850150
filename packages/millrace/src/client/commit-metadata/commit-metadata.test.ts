import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { joinMetadata, metadataLimit, splitMetadata } from './commit-metadata.ts'
import { decodeRuns, encodeRuns } from './ranges.ts'

/** Gaps and lengths as runs above a base. */
const runsAbove = (base: number, steps: readonly (readonly [number, number])[]): number[] => {
  let end = base
  return steps.flatMap(([gap, length]) => {
    const from = end + gap
    end = from + length
    return [from, end]
  })
}
const base = fc.nat(2 ** 40)
const steps = (max: number, size: number): fc.Arbitrary<[number, number][]> =>
  fc.array(fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max })), { maxLength: size })

describe('ranges in a commit', () => {
  it('come back as they were, near each other or far apart', () => {
    fc.assert(
      fc.property(base, fc.oneof(steps(3, 200), steps(1_000_000, 50)), (at, written) => {
        const runs = runsAbove(at, written)
        assert.deepEqual(decodeRuns(at, encodeRuns(at, runs, 4000)), runs)
      }),
    )
  })

  it('never name an offset that was not finished, however little room there is', () => {
    fc.assert(
      fc.property(base, steps(5, 400), fc.nat(300), (at, written, room) => {
        const runs = runsAbove(at, written)
        const text = encodeRuns(at, runs, room)
        assert.ok(text.length <= Math.max(room, 0))
        const finished = new Set<number>()
        for (let index = 0; index < runs.length; index += 2)
          for (let offset = runs[index]!; offset < runs[index + 1]!; offset++) finished.add(offset)
        const read = decodeRuns(at, text)
        for (let index = 0; index < read.length; index += 2)
          for (let offset = read[index]!; offset < read[index + 1]!; offset++)
            assert.ok(finished.has(offset))
      }),
    )
  })

  it('hold a full window in which every other message is finished', () => {
    const every = Array.from({ length: 5000 }, (): [number, number] => [1, 1])
    const runs = runsAbove(123_456_789, every)
    const text = encodeRuns(123_456_789, runs, 4000)
    assert.deepEqual(decodeRuns(123_456_789, text), runs)
  })

  it('mean nothing for another offset, or when they are damaged', () => {
    const text = encodeRuns(100, [102, 105, 110, 111], 4000)
    assert.deepEqual(decodeRuns(99, text), [])
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), base, (junk, at) => {
        const runs = decodeRuns(at, junk)
        for (let index = 0; index < runs.length; index++)
          assert.ok(runs[index]! > (index === 0 ? at : runs[index - 1]!))
      }),
    )
  })
})

describe('the metadata of a commit', () => {
  it('carries the text of the user and the ranges, in Kafka’s limit, and gives both back', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 4000, unit: 'grapheme' }), fc.constant('a|millrace:rAA')),
        base,
        steps(5, 300),
        (user, at, written) => {
          fc.pre(Buffer.byteLength(user) <= 4086)
          const runs = runsAbove(at, written)
          const joined = joinMetadata(user, at, runs)
          assert.ok(Buffer.byteLength(joined) <= metadataLimit)
          const { user: read, runs: back } = splitMetadata(joined, at)
          assert.equal(read, user)
          assert.deepEqual(back, runs.slice(0, back.length))
        },
      ),
    )
  })
})
