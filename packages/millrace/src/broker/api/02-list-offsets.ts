/**
 * ListOffsets (key 2).
 *
 * - -1 the end (under read_committed the last stable offset), -2 the start, -3 (v7) the record with the
 *   greatest time (KIP-734); by time the first record at or after it, with its leader epoch. -1 when none.
 * - A result at or beyond what the reader may see is none.
 * - -4 (v8) is the start of what is local, which is all; -5 (v9) and -6 (v11) are about tiered storage,
 *   which is empty. Below those versions: 35.
 * - A partition asked for twice is answered once, with 42.
 * - v0 is gone from Kafka 4; Burrow 1.2 still sends it, unasked.
 */
import { isFailure } from '../../errors/index.ts'
import { apis, errorCodes, type RequestOf, type ResponseInput } from '../../protocol/index.ts'
import { events } from '../../telemetry/index.ts'
import type { PartitionLog, TopicRecord } from '../../storage/index.ts'
import { leaderEpochFault } from '../topics/leader-epoch.ts'
import { defineHandler, type Call } from './define-handler.ts'

type PartitionRow = NonNullable<
  NonNullable<ResponseInput<typeof apis.listOffsets>['topics']>[number]['partitions']
>[number]

type AskedPartition = RequestOf<typeof apis.listOffsets>['topics'][number]['partitions'][number]

interface Found {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

const none: Found = { offset: -1, timestamp: -1, leaderEpoch: -1 }

/** The least version that may ask for a special time. */
const specialSince: ReadonlyMap<number, number> = new Map([
  [-3, 7],
  [-4, 8],
  [-5, 9],
  [-6, 11],
])

export const listOffsetsHandler = defineHandler(
  apis.listOffsets,
  { versions: [0, 10] },
  async (request, call) => ({
    topics: await Promise.all(
      request.topics.map(async ({ name, partitions }) => {
        const topic = call.broker.topics.named(name)
        const askedByIndex = Map.groupBy(partitions, ({ partitionIndex }) => partitionIndex)
        return {
          name,
          partitions: await Promise.all(
            Array.from(askedByIndex.values(), (asked) =>
              answerOf(topic, asked, request.isolationLevel === 1, call),
            ),
          ),
        }
      }),
    ),
  }),
)

async function answerOf(
  topic: TopicRecord | undefined,
  [asked, ...repeats]: readonly AskedPartition[],
  isCommitted: boolean,
  { broker, version }: Call,
): Promise<PartitionRow> {
  const { partitionIndex = -1, timestamp = -1, currentLeaderEpoch = -1 } = asked ?? {}
  const refuse = (errorCode: number): PartitionRow => ({ partitionIndex, errorCode })
  if (repeats.length > 0) return refuse(errorCodes.INVALID_REQUEST)
  const log = topic === undefined ? undefined : broker.topics.partition(topic, partitionIndex)
  if (log === undefined) return refuse(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  if (version < (specialSince.get(timestamp) ?? 0) || timestamp < -6)
    return refuse(errorCodes.UNSUPPORTED_VERSION)
  const epochFault = leaderEpochFault(currentLeaderEpoch, log.leaderEpoch)
  if (epochFault !== errorCodes.NONE) return refuse(epochFault)
  try {
    if (version > 0) return { partitionIndex, ...(await find(log, timestamp, isCommitted)) }
    const oldStyleOffsets = await oldStyle(log, timestamp, asked?.maxNumOffsets ?? 1)
    return { partitionIndex, oldStyleOffsets }
  } catch (error) {
    if (!isFailure(error)) throw error
    events.brokerTaskFailed.publish({ task: 'look up an offset', error })
    return refuse(errorCodes.KAFKA_STORAGE_ERROR)
  }
}

async function find(log: PartitionLog, timestamp: number, isCommitted: boolean): Promise<Found> {
  const end = isCommitted ? log.lastStableOffset : log.highWatermark
  const { leaderEpoch } = log
  switch (timestamp) {
    case -1:
      return { offset: end, timestamp: -1, leaderEpoch }
    case -2:
    case -4:
      return { offset: log.logStartOffset, timestamp: -1, leaderEpoch }
    case -5:
    case -6:
      return none
  }
  const found = await (timestamp === -3 ? log.offsetOfMaxTimestamp() : log.offsetForTime(timestamp))
  if (found === undefined || found.offset >= end) return none
  return { offset: found.offset, timestamp: found.timestampMs, leaderEpoch: found.leaderEpoch }
}

/** v0 asks for starts of segments before a time; the borders of the log serve its readers. */
async function oldStyle(log: PartitionLog, timestamp: number, most: number): Promise<number[]> {
  const { logStartOffset, highWatermark } = log
  if (timestamp === -2) return [logStartOffset].slice(0, Math.max(0, most))
  const last =
    timestamp === -1
      ? highWatermark
      : ((await log.offsetForTime(timestamp))?.offset ?? highWatermark)
  const offsets = last > logStartOffset ? [last, logStartOffset] : [last]
  return offsets.slice(0, Math.max(0, most))
}
