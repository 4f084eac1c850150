import { errorCodes, kafkaErrorOf } from '../../protocol/index.ts'

/**
 * What to do about a partition's error code in a Fetch or ListOffsets answer.
 * `refresh`: leaders may have moved, ask the metadata, then again. `retry`: ask again after a while.
 */
export type RefusalCure = 'out-of-range' | 'refresh' | 'retry' | 'corrupt' | 'fail'

export function cureOf(errorCode: number): RefusalCure {
  switch (errorCode) {
    case errorCodes.OFFSET_OUT_OF_RANGE:
      return 'out-of-range'
    case errorCodes.CORRUPT_MESSAGE:
      return 'corrupt'
    // A topic may be on its way: created a moment ago, or deleted and created again.
    case errorCodes.UNKNOWN_TOPIC_OR_PARTITION:
    case errorCodes.UNKNOWN_TOPIC_ID:
    case errorCodes.INCONSISTENT_TOPIC_ID:
    case errorCodes.UNKNOWN_LEADER_EPOCH:
      return 'refresh'
    // The broker's own trouble, whatever it is, is no reason to stop.
    case errorCodes.UNKNOWN_SERVER_ERROR:
      return 'retry'
  }
  const row = kafkaErrorOf(errorCode)
  if (row.refreshesMetadata) return 'refresh'
  return row.retriable ? 'retry' : 'fail'
}
