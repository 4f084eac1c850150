import { i16, i32, i64, i8, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * ListOffsets (key 2). `timestamp` is a time in ms, or -1 the end, -2 the start, -3 (v7) the record
 * with the greatest timestamp, -4 and -5 (v8, v9) tiered storage.
 *
 * v0 is gone from Kafka 4; monitoring tools that never negotiate (Burrow 1.2) still send it. It asks
 * for up to `maxNumOffsets` segment starts before the time, and is answered with `oldStyleOffsets`.
 */
export const listOffsets = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: [0, 10],
  flexible: 6,
  request: {
    replicaId: i32,
    isolationLevel: i8.since(2),
    topics: list({
      name: str,
      partitions: list({
        partitionIndex: i32,
        currentLeaderEpoch: i32.since(4).default(-1),
        timestamp: i64,
        maxNumOffsets: i32.until(0).default(1),
      }),
    }),
    timeoutMs: i32.since(10),
  },
  response: {
    throttleTimeMs: i32.since(2),
    topics: list({
      name: str,
      partitions: list({
        partitionIndex: i32,
        errorCode: i16,
        oldStyleOffsets: list(i64).until(0),
        timestamp: i64.since(1).default(-1),
        offset: i64.since(1).default(-1),
        leaderEpoch: i32.since(4).default(-1),
      }),
    }),
  },
})
