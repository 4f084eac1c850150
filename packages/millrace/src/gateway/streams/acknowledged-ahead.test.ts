import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readCommittedText, writeCommittedText, type Runs } from './acknowledged-ahead.ts'

const bases = fc.nat(2 ** 40)
const steps = (max: number, size: number): fc.Arbitrary<[number, number][]> =>
  fc.array(fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max })), { maxLength: size })

function runsAbove(base: number, list: readonly (readonly [number, number])[]): Runs {
  let end = base
  return list.flatMap(([gap, length]) => {
    const from = end + gap
    end = from + length
    return [from, end]
  })
}

describe('what is acknowledged ahead of a commit', () => {
  it('comes back as it was, near each other or far apart', () => {
    const lists = fc.oneof(steps(3, 200), steps(1_000_000, 50))
    fc.assert(
      fc.property(bases, lists, fc.string({ maxLength: 50 }), (base, list, user) => {
        const runs = runsAbove(base, list)
        const text = writeCommittedText(base, { user, runs })
        assert.deepEqual(readCommittedText(base, text), { user, runs })
      }),
    )
  })

  it('holds 10,000 entries of which every other is acknowledged', () => {
    const every = Array.from({ length: 5000 }, (): [number, number] => [1, 1])
    const runs = runsAbove(123_456_789, every)
    const text = writeCommittedText(123_456_789, { user: '', runs })
    assert.ok(text.length <= 4096)
    assert.deepEqual(readCommittedText(123_456_789, text).runs, runs)
  })

  it('never names what is not acknowledged, however much it is', () => {
    fc.assert(
      fc.property(bases, steps(2000, 2000), (base, list) => {
        const runs = runsAbove(base, list)
        const text = writeCommittedText(base, { user: '', runs })
        assert.ok(text.length <= 4096)
        const read = readCommittedText(base, text).runs
        assert.ok(read.length === 0 || read.length > 500 || read.length === runs.length)
        for (let index = 0; index < read.length; index += 2) {
          assert.equal(read[index], runs[index])
          assert.ok(read[index + 1]! <= runs[index + 1]!)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('means nothing for another offset, or when it is damaged', () => {
    const text = writeCommittedText(100, { user: '', runs: [102, 105] })
    assert.deepEqual(readCommittedText(99, text).runs, [])
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), bases, (junk, base) => {
        const { runs } = readCommittedText(base, `|millrace:${junk}`)
        for (let index = 0; index < runs.length; index++)
          assert.ok(runs[index]! > (runs[index - 1] ?? base))
      }),
    )
  })
})
