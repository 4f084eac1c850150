import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient, type ReaderOptions } from '../../../packages/millrace/src/client/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scriptedBroker, type Script } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf, fetched, listing, read, topic, type PartitionLog } from './support/scripting.ts'

const log: PartitionLog = { batches: [batchOf(0, 2), batchOf(2, 2), batchOf(4, 2)] }

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
  return copy
}

async function offsetsOf(
  on: Script,
  options: ReaderOptions = {},
): Promise<{ readonly offsets: number[]; readonly fetches: number; readonly error: unknown }> {
  await using broker = await scriptedBroker({
    topics: { [topic]: { partitions: 1 } },
    on: { listOffsets: listing([log]), ...on },
  })
  await using client = openClient({ brokers: [broker.address] })
  const offsets: number[] = []
  let error: unknown
  try {
    for await (const message of client.reader({ topics: [topic], ...options }))
      offsets.push(message.offset)
  } catch (thrown) {
    error = thrown
  }
  return { offsets, fetches: broker.asked('fetch').length, error }
}

describe('a batch that is not whole', () => {
  it('is fetched again once when its checksum is wrong', async () => {
    const { offsets, fetches, error } = await offsetsOf({
      fetch: (request, { count }) =>
        fetched(request, (_, offset) => {
          const answer = read(log, offset)
          if (count > 1) return answer
          return { ...answer, records: flipped(answer.records as Buffer, 200) }
        }),
    })
    assert.equal(error, undefined)
    assert.deepEqual(offsets, [0, 1, 2, 3, 4, 5])
    assert.equal(fetches, 2)
  })

  it('stops the reader when its checksum stays wrong, after what lies before it', async () => {
    const bad = { batches: [log.batches[0]!, flipped(log.batches[1]!, 80), log.batches[2]!] }
    const { offsets, fetches, error } = await offsetsOf({
      fetch: (request) => fetched(request, (_, offset) => read(bad, offset)),
    })
    assert.deepEqual(offsets, [0, 1])
    assert.ok(isFailure(error, 'MR_FETCH_CORRUPT'))
    assert.match(error.message, /orders\/0@2: a batch has a wrong checksum/)
    assert.equal(fetches, 2)
  })

  it('stops the reader when it is of an unknown format', async () => {
    const old = Buffer.from(log.batches[0]!)
    old.writeUInt8(1, 16)
    const { error } = await offsetsOf({
      fetch: (request) => fetched(request, () => ({ ...read(log, 0), records: old })),
    })
    assert.ok(isFailure(error, 'MR_FETCH_CORRUPT'))
    assert.match(error.message, /unknown format 1/)
  })

  it('is fetched again from the same offset when a byte limit has cut it, wherever that was', async () => {
    const all = Buffer.concat(log.batches)
    for (let cut = 1; cut < all.length; cut += 3) {
      const { offsets, error } = await offsetsOf({
        fetch: (request, { count }) =>
          fetched(request, (_, offset) => {
            const answer = read(log, offset)
            if (count > 1) return answer
            return { ...answer, records: all.subarray(0, cut) }
          }),
      })
      assert.equal(error, undefined, `cut at ${cut}`)
      assert.deepEqual(offsets, [0, 1, 2, 3, 4, 5], `cut at ${cut}`)
    }
  })

  it('gets a larger limit when it was the only one and did not fit', async () => {
    const { offsets, error } = await offsetsOf(
      {
        fetch: (request) =>
          fetched(request, (_, offset) => {
            const limit = request.topics[0]?.partitions[0]?.partitionMaxBytes ?? 0
            const answer = read(log, offset)
            return { ...answer, records: (answer.records as Buffer).subarray(0, limit) }
          }),
      },
      { fetch: { perPartitionBytes: 10 } },
    )
    assert.equal(error, undefined)
    assert.deepEqual(offsets, [0, 1, 2, 3, 4, 5])
  })
})
