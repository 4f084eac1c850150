import {
  consumerAssignment,
  encodeBatch,
  readBatchHeader,
  type apis,
  type BatchFields,
  type RequestOf,
  type ResponseInput,
} from '../../../../packages/millrace/src/protocol/index.ts'
import { systemClock } from '../../../../packages/millrace/src/kit/index.ts'
import type { Script } from '../../../../packages/millrace/src/testing/index.ts'

export const topic = 'orders'

/** A SyncGroup answer that gives partitions of `orders`. */
export function assigned(...partitions: number[]): ResponseInput<typeof apis.syncGroup> {
  return {
    protocolType: 'consumer',
    assignment: consumerAssignment.encode(1, {
      assignedPartitions: [{ topic, partitions }],
      userData: null,
    }),
  }
}

/** A batch of messages `value-OFFSET`. */
export function batchOf(
  baseOffset: number,
  count: number,
  fields: BatchFields = {},
  valueOf = (offset: number) => `value-${offset}`,
): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    offset: baseOffset + index,
    timestamp: 1_700_000_000_000 + index,
    key: null,
    value: Buffer.from(valueOf(baseOffset + index)),
    headers: [],
  }))
  return encodeBatch({ baseOffset, partitionLeaderEpoch: 0, ...fields }, records)
}

const transactional = 0x10
const control = 0x20

export function dataOf(producerId: number, baseOffset: number, count = 1): Buffer {
  const fields = { attributes: transactional, producerId, producerEpoch: 0, baseSequence: 0 }
  return batchOf(baseOffset, count, fields)
}

/** The control batch that ends a transaction (KIP-98). */
export function markerOf(producerId: number, offset: number, what: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, what === 'abort' ? 0 : 1])
  const value = Buffer.from([0, 0, 0, 0, 0, 0])
  const attributes = transactional | control
  return encodeBatch(
    { baseOffset: offset, attributes, producerId, producerEpoch: 0, partitionLeaderEpoch: 0 },
    [{ offset, timestamp: 1, key, value, headers: [] }],
  )
}

export interface PartitionLog {
  /** May grow while the test runs. */
  readonly batches: Buffer[]
  readonly aborted?: readonly { producerId: number; firstOffset: number; lastOffset: number }[]
  readonly logStart?: number
  /** Batches in one answer; default all. */
  readonly batchesAtOnce?: number
}

type FetchRequest = RequestOf<typeof apis.fetch>
type AskedTopic = FetchRequest['topics'][number]
export type FetchedPartition = NonNullable<
  NonNullable<ResponseInput<typeof apis.fetch>['responses']>[number]['partitions']
>[number]

/** What a leader would answer for one partition: whole batches from the one that holds the offset. */
export function read(log: PartitionLog, fetchOffset: number): FetchedPartition {
  const ends = log.batches.map((bytes) => {
    const { baseOffset, lastOffsetDelta } = readBatchHeader(bytes)
    return baseOffset + lastOffsetDelta + 1
  })
  const end = ends.at(-1) ?? 0
  const first = ends.findIndex((one) => one > fetchOffset)
  const batches =
    first < 0 ? [] : log.batches.slice(first, first + (log.batchesAtOnce ?? log.batches.length))
  const from = batches[0] ? readBatchHeader(batches[0]).baseOffset : end
  const to = first < 0 ? end : (ends[first + batches.length - 1] ?? end)
  const isOut = fetchOffset > end || fetchOffset < (log.logStart ?? 0)
  return {
    errorCode: isOut ? 1 : 0,
    highWatermark: end,
    lastStableOffset: end,
    logStartOffset: log.logStart ?? 0,
    abortedTransactions: (log.aborted ?? [])
      .filter(({ firstOffset, lastOffset }) => firstOffset < to && lastOffset >= from)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset })),
    records: isOut ? null : Buffer.concat(batches),
  }
}

/** Wraps partition answers as a Fetch answer, in the form of the request. */
export function fetched(
  request: FetchRequest,
  answer: (partition: number, fetchOffset: number) => FetchedPartition,
): ResponseInput<typeof apis.fetch> {
  return {
    responses: request.topics.map((asked: AskedTopic) => ({
      topic: asked.topic,
      topicId: asked.topicId,
      partitions: asked.partitions.map(({ partition, fetchOffset }) => ({
        partitionIndex: partition,
        ...answer(partition, fetchOffset),
      })),
    })),
  }
}

/** Serves logs by partition as a broker would: waits, shortly, when nothing is to be read. */
export function serving(logs: readonly PartitionLog[]): NonNullable<Script['fetch']> {
  return async (request) => {
    const answer = fetched(request, (partition, offset) =>
      read(logs[partition] ?? { batches: [] }, offset),
    )
    const isEmpty = answer.responses?.every((one) =>
      one.partitions?.every(({ records, errorCode }) => records?.length === 0 && errorCode === 0),
    )
    if (isEmpty === true)
      await new Promise<void>((resolve) => {
        systemClock.after(Math.min(request.maxWaitMs, 20), resolve, { unref: true })
      })
    return answer
  }
}

/** ListOffsets over the same logs. */
export function listing(logs: readonly PartitionLog[]): NonNullable<Script['listOffsets']> {
  return (request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => {
        const log = logs[partitionIndex] ?? { batches: [] }
        const end = read(log, Infinity).highWatermark ?? 0
        return {
          partitionIndex,
          timestamp: -1,
          offset: timestamp === -1 ? end : (log.logStart ?? 0),
        }
      }),
    })),
  })
}

/** Runs until the condition holds, looking after every turn that something may have changed in. */
export async function until(
  what: string,
  condition: () => boolean,
  timeoutMs = 5000,
): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs
  while (!condition()) {
    if (systemClock.monotonicMs() > deadlineMs)
      throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise<void>((resolve) => {
      systemClock.after(2, resolve)
    })
  }
}
