import { i16, i32, i64, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** OffsetForLeaderEpoch (key 23): where an epoch ended; clients check their position with it (KIP-320). */
export const offsetForLeaderEpoch = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexible: 4,
  request: {
    replicaId: i32.since(3).default(-2),
    topics: list({
      topic: str,
      partitions: list({
        partition: i32,
        currentLeaderEpoch: i32.default(-1),
        leaderEpoch: i32,
      }),
    }),
  },
  response: {
    throttleTimeMs: i32,
    topics: list({
      topic: str,
      partitions: list({
        errorCode: i16,
        partition: i32,
        leaderEpoch: i32.default(-1),
        endOffset: i64.default(-1),
      }),
    }),
  },
})
