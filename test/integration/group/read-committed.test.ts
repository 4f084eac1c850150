import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient, type ReaderOptions } from '../../../packages/millrace/src/client/index.ts'
import { scriptedBroker } from '../../../packages/millrace/src/testing/index.ts'
import {
  batchOf,
  dataOf,
  listing,
  markerOf,
  serving,
  topic,
  type PartitionLog,
} from './support/scripting.ts'

async function readAll(log: PartitionLog, options: ReaderOptions = {}): Promise<number[]> {
  await using broker = await scriptedBroker({
    topics: { [topic]: { partitions: 1 } },
    on: { fetch: serving([log]), listOffsets: listing([log]) },
  })
  await using client = openClient({ brokers: [broker.address] })
  const offsets: number[] = []
  const reader = client.reader({ topics: [topic], fetch: { maxWaitMs: 20 }, ...options })
  for await (const { offset } of reader) offsets.push(offset)
  assert.deepEqual(broker.faults, [])
  return offsets
}

/** Two aborted transactions of one producer, then a committed one. */
const twice: PartitionLog = {
  batches: [
    dataOf(7, 0, 2),
    markerOf(7, 2, 'abort'),
    dataOf(7, 3),
    markerOf(7, 4, 'abort'),
    dataOf(7, 5),
    markerOf(7, 6, 'commit'),
  ],
  aborted: [
    { producerId: 7, firstOffset: 0, lastOffset: 2 },
    { producerId: 7, firstOffset: 3, lastOffset: 4 },
  ],
}

/** Three producers at once: 1 aborts, 2 commits, 3 aborts; plain messages between. */
const mixed: PartitionLog = {
  batches: [
    dataOf(1, 0),
    dataOf(2, 1),
    batchOf(2, 1),
    dataOf(3, 3),
    dataOf(1, 4),
    markerOf(1, 5, 'abort'),
    dataOf(2, 6),
    markerOf(3, 7, 'abort'),
    markerOf(2, 8, 'commit'),
    dataOf(1, 9),
    markerOf(1, 10, 'commit'),
  ],
  aborted: [
    { producerId: 1, firstOffset: 0, lastOffset: 5 },
    { producerId: 3, firstOffset: 3, lastOffset: 7 },
  ],
}

describe('read_committed', () => {
  it('hides two aborted transactions of one producer in one answer', async () => {
    assert.deepEqual(await readAll(twice), [5])
  })

  it('hides aborted messages whose marker comes with a later answer', async () => {
    assert.deepEqual(await readAll({ ...twice, batchesAtOnce: 1 }), [5])
  })

  it('keeps three interleaved producers apart, however answers are cut', async () => {
    for (const batchesAtOnce of [1, 2, 3, 5, 11])
      assert.deepEqual(await readAll({ ...mixed, batchesAtOnce }), [1, 2, 6, 9])
  })

  it('starts in the middle of an aborted transaction', async () => {
    assert.deepEqual(await readAll(twice, { from: 1 }), [5])
    assert.deepEqual(await readAll({ ...mixed, batchesAtOnce: 1 }, { from: 4 }), [6, 9])
  })

  it('shows everything but markers when uncommitted messages are asked for', async () => {
    assert.deepEqual(await readAll(twice, { isolation: 'read_uncommitted' }), [0, 1, 3, 5])
  })

  it('ends when nothing but aborted messages and markers are left', async () => {
    const log = { ...twice, batches: twice.batches.slice(0, 4) }
    assert.deepEqual(await readAll(log), [])
  })
})
