import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { AbortedFilter, type AbortedTransaction } from './aborted-filter.ts'

/** One batch of a log: data of a producer, or a marker. */
type Batch = {
  readonly offset: number
  readonly lastOffset: number
  readonly producerId: number
  readonly kind: 'plain' | 'data' | 'abort' | 'commit'
}

interface Log {
  readonly batches: readonly Batch[]
  readonly aborted: readonly (AbortedTransaction & { readonly lastOffset: number })[]
  /** Offsets of batches that a read_committed reader sees. */
  readonly visible: ReadonlySet<number>
}

type Step = readonly [producer: number, what: 'data' | 'abort' | 'commit' | 'plain', size: number]

function logOf(steps: readonly Step[]): Log {
  const batches: Batch[] = []
  const aborted: (AbortedTransaction & { readonly lastOffset: number })[] = []
  const visible = new Set<number>()
  const open = new Map<number, number[]>()
  let offset = 0
  const all: readonly Step[] = [...steps, ...[1, 2, 3].map((id): Step => [id, 'abort', 1])]
  for (const [producerId, kind, size] of all) {
    const transaction = open.get(producerId)
    if ((kind === 'abort' || kind === 'commit') && !transaction) continue
    const lastOffset = offset + (kind === 'data' || kind === 'plain' ? size : 1) - 1
    batches.push({ offset, lastOffset, producerId, kind })
    if (kind === 'plain') visible.add(offset)
    if (kind === 'data') open.set(producerId, [...(transaction ?? []), offset])
    if (kind === 'commit') for (const one of transaction ?? []) visible.add(one)
    if (kind === 'abort')
      aborted.push({ producerId, firstOffset: transaction?.[0] ?? 0, lastOffset })
    if (kind === 'abort' || kind === 'commit') open.delete(producerId)
    offset = lastOffset + 1
  }
  return { batches, aborted, visible }
}

/** Reads batches `from` until `to` as one answer, with the transactions that overlap it. */
function answer(filter: AbortedFilter, log: Log, from: number, to: number): number[] {
  const batches = log.batches.slice(from, to)
  const first = batches[0]?.offset ?? 0
  const last = batches.at(-1)?.lastOffset ?? 0
  filter.add(log.aborted.filter((one) => one.firstOffset <= last && one.lastOffset >= first))
  const seen: number[] = []
  for (const { offset, lastOffset, producerId, kind } of batches) {
    if (kind === 'abort') filter.end(producerId, lastOffset)
    else if (kind !== 'commit' && !filter.isAborted(producerId, lastOffset, kind === 'data'))
      seen.push(offset)
  }
  return seen
}

const logArbitrary = fc
  .array(
    fc.tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom('data', 'data', 'abort', 'commit', 'plain'),
      fc.integer({ min: 1, max: 3 }),
    ),
    { maxLength: 40 },
  )
  .map((steps) => logOf(steps as readonly Step[]))

describe('the read_committed filter', () => {
  it('hides two aborted transactions of one producer in one answer', () => {
    const log = logOf([
      [1, 'data', 1],
      [1, 'abort', 1],
      [1, 'data', 1],
      [1, 'abort', 1],
      [1, 'data', 1],
      [1, 'commit', 1],
    ])
    assert.deepEqual(answer(new AbortedFilter(), log, 0, log.batches.length), [4])
  })

  it('hides aborted data whose marker comes with the next answer', () => {
    const log = logOf([
      [1, 'data', 2],
      [2, 'data', 1],
      [1, 'abort', 1],
      [1, 'data', 1],
      [1, 'commit', 1],
      [2, 'commit', 1],
    ])
    const filter = new AbortedFilter()
    const seen = [0, 1, 2, 3, 4, 5].flatMap((at) => answer(filter, log, at, at + 1))
    assert.deepEqual(seen, [2, 4])
  })

  it('delivers what was committed or not transactional, however the log is cut into answers', () => {
    fc.assert(
      fc.property(logArbitrary, fc.array(fc.integer({ min: 1, max: 6 })), (log, cuts) => {
        const filter = new AbortedFilter()
        const seen: number[] = []
        for (let from = 0, cut = 0; from < log.batches.length; cut++) {
          const to = from + (cuts[cut] ?? 3)
          seen.push(...answer(filter, log, from, to))
          from = to
        }
        assert.deepEqual(
          seen,
          Array.from(log.visible).toSorted((left, right) => left - right),
        )
      }),
    )
  })

  it('delivers the same after a seek into the middle of an aborted range', () => {
    fc.assert(
      fc.property(logArbitrary, fc.nat(), fc.nat(), (log, read, seek) => {
        const filter = new AbortedFilter()
        answer(filter, log, 0, read % (log.batches.length + 1))
        filter.clear()
        const from = seek % (log.batches.length + 1)
        const seen = answer(filter, log, from, log.batches.length)
        const start = log.batches[from]?.offset ?? Infinity
        assert.deepEqual(
          seen.toSorted((left, right) => left - right),
          Array.from(log.visible)
            .filter((offset) => offset >= start)
            .toSorted((left, right) => left - right),
        )
      }),
    )
  })

  it('does not grow when answers repeat a transaction', () => {
    const log = logOf([
      [1, 'data', 1],
      [2, 'plain', 1],
      [1, 'abort', 1],
      [1, 'data', 1],
      [1, 'commit', 1],
    ])
    const filter = new AbortedFilter()
    for (let again = 0; again < 5; again++) filter.add([{ producerId: 1, firstOffset: 0 }])
    assert.deepEqual(answer(filter, log, 0, 5), [1, 3])
  })
})
