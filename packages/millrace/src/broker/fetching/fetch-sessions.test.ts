import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorCodes } from '../../protocol/index.ts'
import {
  FetchSessions,
  type FetchContext,
  type FetchRequest,
  type Served,
} from './fetch-sessions.ts'

type Partitions = Readonly<Record<number, number>>

function request(
  sessionId: number,
  sessionEpoch: number,
  partitions: Partitions = {},
  forgotten: readonly number[] = [],
): FetchRequest {
  return {
    sessionId,
    sessionEpoch,
    topics: [
      {
        topic: 't',
        topicId: '',
        partitions: Object.entries(partitions).map(([partition, fetchOffset]) => ({
          partition: Number(partition),
          fetchOffset,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
          partitionMaxBytes: 1000,
        })),
      },
    ],
    forgottenTopicsData: [{ topic: 't', topicId: '', partitions: forgotten }],
  } as unknown as FetchRequest
}

const quiet: Served = {
  errorCode: 0,
  highWatermark: 10,
  lastStableOffset: 10,
  logStartOffset: 0,
  bytes: 0,
}

function opened(sessions: FetchSessions, ask: FetchRequest): FetchContext {
  const context = sessions.begin(ask, false)
  assert.ok(typeof context !== 'number', 'the request fits its session')
  return context
}

/** Which partitions the answer holds when these were served. */
function included(
  context: FetchContext,
  served: Readonly<Record<number, Partial<Served>>>,
): number[] {
  const rows = context.wanted.map(({ partition }) => ({ ...quiet, ...served[partition] }))
  const { isIncluded } = context.finish(rows)
  return context.wanted.filter((_, index) => isIncluded(index)).map(({ partition }) => partition)
}

describe('fetch sessions', () => {
  it('opens none for epoch -1, one for epoch 0', () => {
    const sessions = new FetchSessions({ slots: 10, newId: () => 7 })
    const without = opened(sessions, request(0, -1, { 0: 5 }))
    assert.equal(without.finish([quiet]).sessionId, 0)
    const context = opened(sessions, request(0, 0, { 0: 5 }))
    assert.equal(context.finish([quiet]).sessionId, 7)
    assert.equal(sessions.open, 1)
    opened(sessions, request(7, -1, { 0: 5 }))
    assert.equal(sessions.open, 0, 'epoch -1 closes the one it names')
  })

  it('leaves out partitions without news, and remembers positions', () => {
    const sessions = new FetchSessions({ slots: 10, newId: () => 7 })
    opened(sessions, request(0, 0, { 0: 5, 1: 5 })).finish([quiet, quiet])
    const next = opened(sessions, request(7, 1))
    assert.deepEqual(
      next.wanted.map(({ partition, fetchOffset }) => [partition, fetchOffset]),
      [
        [0, 5],
        [1, 5],
      ],
    )
    assert.deepEqual(included(next, { 1: { bytes: 9 } }), [1])
    const moved = opened(sessions, request(7, 2, { 1: 6 }))
    assert.deepEqual(
      moved.wanted.map(({ partition, fetchOffset }) => [partition, fetchOffset]),
      [
        [0, 5],
        [1, 6],
      ],
    )
    assert.deepEqual(included(moved, { 0: { highWatermark: 11 } }), [0])
    const again = opened(sessions, request(7, 3))
    assert.deepEqual(included(again, { 0: { highWatermark: 11 } }), [], 'told once')
  })

  it('moves what was served behind the others', () => {
    const sessions = new FetchSessions({ slots: 10, newId: () => 7 })
    opened(sessions, request(0, 0, { 0: 5, 1: 5, 2: 5 })).finish([quiet, quiet, quiet])
    included(opened(sessions, request(7, 1)), { 0: { bytes: 9 } })
    const next = opened(sessions, request(7, 2))
    assert.deepEqual(
      next.wanted.map(({ partition }) => partition),
      [1, 2, 0],
    )
  })

  it('repeats an error until it is gone, and tells when it is', () => {
    const sessions = new FetchSessions({ slots: 10, newId: () => 7 })
    opened(sessions, request(0, 0, { 0: 5 })).finish([quiet])
    const failed = { 0: { errorCode: 3, highWatermark: -1 } }
    assert.deepEqual(included(opened(sessions, request(7, 1)), failed), [0])
    assert.deepEqual(included(opened(sessions, request(7, 2)), failed), [0])
    assert.deepEqual(included(opened(sessions, request(7, 3)), {}), [0])
    assert.deepEqual(included(opened(sessions, request(7, 4)), {}), [])
  })

  it('refuses unknown ids, wrong epochs, and ids mixed with names', () => {
    const sessions = new FetchSessions({ slots: 10, newId: () => 7 })
    assert.equal(sessions.begin(request(9, 1), false), errorCodes.FETCH_SESSION_ID_NOT_FOUND)
    assert.equal(sessions.begin(request(0, 1), false), errorCodes.FETCH_SESSION_ID_NOT_FOUND)
    opened(sessions, request(0, 0, { 0: 5 })).finish([quiet])
    assert.equal(sessions.begin(request(7, 2), false), errorCodes.INVALID_FETCH_SESSION_EPOCH)
    assert.equal(sessions.begin(request(7, 1), true), errorCodes.FETCH_SESSION_TOPIC_ID_ERROR)
    opened(sessions, request(7, 1))
    assert.equal(sessions.begin(request(7, 1), false), errorCodes.INVALID_FETCH_SESSION_EPOCH)
  })

  it('forgets partitions when told, and ends with the last', () => {
    const sessions = new FetchSessions({ slots: 10, newId: () => 7 })
    opened(sessions, request(0, 0, { 0: 5, 1: 5 })).finish([quiet, quiet])
    const next = opened(sessions, request(7, 1, {}, [0]))
    assert.deepEqual(
      next.wanted.map(({ partition }) => partition),
      [1],
    )
    assert.equal(opened(sessions, request(7, 2, {}, [1])).finish([]).sessionId, 0)
    assert.equal(sessions.open, 0)
  })

  it('gives the place of the one used longest ago to a new one', () => {
    let id = 0
    const sessions = new FetchSessions({ slots: 2, newId: () => ++id })
    for (let turn = 0; turn < 2; turn++) opened(sessions, request(0, 0, { 0: 5 })).finish([quiet])
    opened(sessions, request(1, 1)).finish([quiet])
    opened(sessions, request(0, 0, { 0: 5 })).finish([quiet])
    assert.equal(sessions.begin(request(2, 1), false), errorCodes.FETCH_SESSION_ID_NOT_FOUND)
    assert.ok(typeof sessions.begin(request(1, 2), false) !== 'number')
    assert.equal(sessions.open, 2)
  })
})
