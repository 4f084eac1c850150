import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { failure, isFailure } from '../../errors/index.ts'
import { encodeBatch } from '../../protocol/index.ts'
import { PartitionFeed, type FeedOwner } from './partition-feed.ts'
import { isWanted, planFetch, shareOf } from './plan-fetch.ts'
import { readAnswer } from './read-answer.ts'

const owner: FeedOwner = {
  feedChanged: () => undefined,
  feedFailed: () => undefined,
  resolveOffset: () => Promise.resolve(0),
}

function open(): PartitionFeed {
  const feed = new PartitionFeed('t', 0, owner, { isReadCommitted: false })
  feed.startAt(0)
  return feed
}

/** Gives the feed offsets `from` up to `to` as one batch. */
function give(feed: PartitionFeed, from: number, to: number, lastOffset = to - 1): void {
  const records = Array.from({ length: to - from }, (_, index) => ({
    offset: from + index,
    timestamp: 1,
    key: null,
    value: null,
    headers: [],
  }))
  const bytes = encodeBatch({ baseOffset: from, lastOffsetDelta: lastOffset - from }, records)
  feed.enqueue(readAnswer(bytes, feed.fetchOffset, undefined, 1))
}

const offsets = (feed: PartitionFeed, max: number): number[] =>
  feed.take(max).map(({ offset }) => offset)

describe('a partition feed', () => {
  it('hands over from the middle of a batch, and stands behind gaps when it is through', () => {
    const feed = open()
    feed.startAt(2)
    give(feed, 0, 5, 9)
    assert.deepEqual(offsets(feed, 2), [2, 3])
    assert.equal(feed.position, 4)
    assert.deepEqual(offsets(feed, 9), [4])
    assert.equal(feed.position, 10)
    assert.equal(feed.bufferedBytes, 0)
  })

  it('lets a loop over what it owns rest while it is being revoked', async () => {
    const feed = open()
    let turns = 0
    const loop = (async () => {
      while (feed.isOwned && turns < 10) {
        await feed.available()
        feed.take(1)
        turns += 1
      }
    })()
    await Promise.resolve()
    feed.revoke()
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    assert.equal(turns, 1, 'told once')
    feed.end()
    await loop
    assert.equal(turns, 2)
  })

  it('keeps saying why it stands still when a resume cannot help', async () => {
    const feed = new PartitionFeed('t', 0, owner, { isReadCommitted: false })
    const missing = failure('MR_OFFSET_MISSING', { topic: 't', partition: 0 })
    feed.fail(missing)
    feed.resume()
    await assert.rejects(feed.available(), { code: 'MR_OFFSET_MISSING' })
    await feed.seek(0)
    assert.equal(feed.failure, null)
  })

  it('stands where it stood when the place to seek to cannot be found', async () => {
    const feed = new PartitionFeed(
      't',
      0,
      { ...owner, resolveOffset: () => Promise.reject(new Error('not authorized')) },
      { isReadCommitted: false },
    )
    feed.startAt(0)
    give(feed, 0, 3)
    assert.deepEqual(offsets(feed, 1), [0])
    await assert.rejects(feed.seek({ timestampMs: 1 }), /not authorized/)
    assert.equal(feed.position, 1)
    assert.equal(feed.fetchOffset, 1)
  })

  it('keeps order, position and accounts over any mix of answers, takes, pauses and seeks', async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('give' as const),
        count: fc.integer({ min: 0, max: 4 }),
        gap: fc.nat(2),
      }),
      fc.record({ do: fc.constant('take' as const), max: fc.nat(5) }),
      fc.record({ do: fc.constant('pause' as const) }),
      fc.record({ do: fc.constant('resume' as const) }),
      fc.record({ do: fc.constant('seek' as const), to: fc.nat(50) }),
      fc.record({ do: fc.constant('jump' as const), by: fc.nat(9) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
        const feed = open()
        let expected: number[] = []
        for (const one of steps) {
          switch (one.do) {
            case 'give': {
              const from = feed.fetchOffset
              give(feed, from, from + one.count, from + one.count + one.gap)
              for (let offset = from; offset < from + one.count; offset++) expected.push(offset)
              break
            }
            case 'take': {
              const taken = offsets(feed, one.max)
              if (feed.isPaused) assert.deepEqual(taken, [])
              else assert.deepEqual(taken, expected.splice(0, one.max))
              break
            }
            case 'pause':
              feed.pause()
              break
            case 'resume':
              feed.resume()
              break
            case 'seek':
              await feed.seek(one.to)
              expected = []
              assert.equal(feed.fetchOffset, one.to)
              break
            case 'jump':
              feed.jumpTo(feed.fetchOffset + one.by)
              break
          }
          const next = expected[0] ?? feed.fetchOffset
          assert.ok(feed.position <= next, 'nothing is passed over')
          if (expected.length === 0) assert.equal(feed.position, feed.fetchOffset)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('stops at a batch that cannot be decoded, and reads it again after resume', async () => {
    const feed = open()
    give(feed, 0, 2)
    const broken = encodeBatch({ baseOffset: 2, lastOffsetDelta: 4 }, [
      { offset: 2, timestamp: 1, key: null, value: null, headers: [] },
    ])
    broken.writeInt32BE(5, 57)
    feed.enqueue({
      batches: [
        {
          bytes: broken,
          count: 5,
          leaderEpoch: 0,
          timestampType: 'create',
          receivedAt: 1,
          nextOffset: 7,
          cursor: undefined,
        },
      ],
      nextOffset: 7,
      bytes: broken.length,
      stop: { at: 'end' },
    })
    assert.deepEqual(offsets(feed, 10), [0, 1, 2])
    assert.ok(isFailure(feed.failure, 'MR_FETCH_CORRUPT'))
    await assert.rejects(feed.available(), /t\/0@3/)
    assert.equal(feed.isReadable, false)
    feed.resume()
    assert.equal(feed.isReadable, true)
    assert.equal(feed.fetchOffset, 3)
  })

  it('wakes who waits when it ends, and hands over nothing then', async () => {
    const feed = open()
    const woken = feed.available()
    give(feed, 0, 2)
    await woken
    feed.revoke()
    assert.deepEqual([feed.isOwned, offsets(feed, 5)], [true, []])
    feed.end()
    await feed.available()
    assert.equal(feed.isOwned, false)
  })

  it('leaves a wait when its signal aborts', async () => {
    const feed = open()
    const stopping = new AbortController()
    const waiting = feed.available(stopping.signal)
    stopping.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
  })
})

describe('what to fetch', () => {
  const limits = {
    maxBytes: 100,
    perPartitionBytes: 50,
    bufferedBytes: 120,
    maxWaitMs: 500,
    minBytes: 1,
  }

  it('shares the room among partitions', () => {
    assert.equal(shareOf(limits, 1), 50)
    assert.equal(shareOf(limits, 2), 30)
    assert.equal(shareOf(limits, 4), 15)
    assert.equal(shareOf(limits, 1000), 1)
  })

  it('is what is readable, has room, and is not asked for under this version', () => {
    const feed = open()
    assert.equal(isWanted(feed, 50, 0), true)
    feed.askedVersion = feed.version
    assert.equal(isWanted(feed, 50, 0), false)
    feed.askedVersion = -1
    feed.retryAtMs = 10
    assert.equal(isWanted(feed, 50, 5), false)
    assert.equal(isWanted(feed, 50, 10), true)
    feed.pause()
    assert.equal(isWanted(feed, 50, 10), false)
  })

  it('is asked for without waiting only where more is known to be there', () => {
    const [behind, atEnd] = [open(), open()]
    behind.highWatermark = 5
    atEnd.highWatermark = 0
    assert.deepEqual(planFetch([behind, atEnd], 60, limits, true), {
      feeds: [behind],
      maxBytes: 60,
      maxWaitMs: 0,
    })
    assert.equal(planFetch([atEnd], 60, limits, true), undefined)
    assert.equal(planFetch([behind, atEnd], 900, limits, false)?.maxBytes, 100)
  })

  it('is one batch for who has nothing, when others have used up all room', () => {
    const [full, empty] = [open(), open()]
    give(full, 0, 5)
    assert.deepEqual(planFetch([full, empty], -10, limits, false), {
      feeds: [empty],
      maxBytes: 1,
      maxWaitMs: 500,
    })
    assert.equal(planFetch([full], 0, limits, false), undefined)
  })
})
