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
import { apis, errorCodes, type ResponseInput } from '../../protocol/index.ts'
import type { PartitionLog } from '../../storage/index.ts'
import { leaderEpochFault } from '../topics/leader-epoch.ts'
import { defineHandler } from './define-handler.ts'

type PartitionRow = NonNullable<
  NonNullable<ResponseInput<typeof apis.listOffsets>['topics']>[number]['partitions']
>[number]

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
  async (request, { broker, version }) => {
    const isCommitted = request.isolationLevel === 1
    const topics = await Promise.all(
      request.topics.map(async ({ name, partitions }) => {
        const topic = broker.topics.named(name)
        const asked = Map.groupBy(partitions, ({ partitionIndex }) => partitionIndex)
        return {
          name,
          partitions: await Promise.all(
            [...asked].map(async ([partitionIndex, rows]): Promise<PartitionRow> => {
              const [one] = rows
              if (one === undefined || rows.length > 1)
                return { partitionIndex, errorCode: errorCodes.INVALID_REQUEST }
              const { timestamp } = one
              const log =
                topic === undefined ? undefined : broker.topics.partition(topic, partitionIndex)
              const errorCode =
                log === undefined
                  ? errorCodes.UNKNOWN_TOPIC_OR_PARTITION
                  : version < (specialSince.get(timestamp) ?? 0) || timestamp < -6
                    ? errorCodes.UNSUPPORTED_VERSION
                    : leaderEpochFault(one.currentLeaderEpoch, log.leaderEpoch)
              if (log === undefined || errorCode !== errorCodes.NONE)
                return { partitionIndex, errorCode }
              if (version === 0) {
                return {
                  partitionIndex,
                  oldStyleOffsets: await oldStyle(log, timestamp, one.maxNumOffsets),
                }
              }
              const found = await find(log, timestamp, isCommitted)
              return { partitionIndex, ...found }
            }),
          ),
        }
      }),
    )
    return { topics }
  },
)

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
