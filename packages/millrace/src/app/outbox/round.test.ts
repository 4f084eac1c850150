import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure } from '../../errors/index.ts'
import { row } from './outbox-store.contract.ts'
import { isRefusal, judgeRound, shareRound } from './round.ts'
import type { StoredRow } from './store.ts'

function stored(seq: number, key: string | null): StoredRow {
  return { ...row(0, key), seq, createdMs: 0 }
}

const expired = failure('MR_PRODUCER_EXPIRED', {
  topic: 'orders',
  partition: 0,
  timeoutMs: 1,
  reason: 'away',
})
const tooLarge = failure('MR_PRODUCER_MESSAGE_TOO_LARGE', { topic: 'orders', bytes: 9, limit: 1 })

describe('a round', () => {
  it('deletes everything when everything is acknowledged', () => {
    const rows = [stored(1, 'a'), stored(2, 'b')]
    assert.deepEqual(judgeRound(rows, [undefined, undefined]), {
      done: rows,
      refused: [],
      retryAfter: undefined,
    })
  })

  it('keeps what was acknowledged behind an open row of its key, so that the newest comes last', () => {
    const rows = [stored(1, 'a'), stored(2, 'a'), stored(3, 'b'), stored(4, null), stored(5, 'a')]
    const { done, retryAfter } = judgeRound(rows, [
      undefined,
      expired,
      undefined,
      undefined,
      undefined,
    ])
    assert.deepEqual(
      done.map(({ seq }) => seq),
      [1, 3, 4],
    )
    assert.equal(retryAfter, expired)
  })

  it('does not hold back others for rows without a key', () => {
    const rows = [stored(1, null), stored(2, null)]
    assert.deepEqual(
      judgeRound(rows, [expired, undefined]).done.map(({ seq }) => seq),
      [2],
    )
  })

  it('sets aside what is refused for good', () => {
    const rows = [stored(1, 'a'), stored(2, 'a')]
    const { done, refused, retryAfter } = judgeRound(rows, [tooLarge, undefined])
    assert.deepEqual(refused, [{ row: rows[0], error: tooLarge }])
    assert.deepEqual(
      done.map(({ seq }) => seq),
      [2],
    )
    assert.equal(retryAfter, undefined)
  })

  it('tells a fault of the message from one of its surroundings', () => {
    const kafka = (errorCode: number): Error =>
      failure('MR_KAFKA_ERROR', { what: '', name: '', errorCode, detail: '', retriable: false })
    assert.equal(isRefusal(kafka(87)), true)
    assert.equal(isRefusal(kafka(29)), false, 'a right may be given')
    assert.equal(isRefusal(failure('MR_TOPIC_UNKNOWN', { topic: 'x' })), true)
    assert.equal(isRefusal(expired), false)
    assert.equal(isRefusal(new Error('anything')), false)
  })
})

describe('the share of a shard', () => {
  const leases = Array.from({ length: 8 }, (_, shard) => ({ shard, epoch: 1 }))
  it('is equal while none is full', () => {
    assert.deepEqual(
      new Set(shareRound(leases, 500, new Set()).map(({ limit }) => limit)),
      new Set([63]),
    )
  })
  it('is nearly the whole round for the only one that is full, and something for the others', () => {
    const limits = shareRound(leases, 500, new Set([3])).map(({ limit }) => limit)
    assert.deepEqual(limits, [16, 16, 16, 388, 16, 16, 16, 16])
  })
  it('is never nothing', () => {
    for (const round of [1, 7, 16])
      for (const full of [new Set<number>(), new Set([0]), new Set([0, 1, 2, 3, 4, 5, 6, 7])])
        assert.ok(shareRound(leases, round, full).every(({ limit }) => limit >= 1))
  })
})
