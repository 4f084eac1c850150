import { bool, i16, i32, i64, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * DescribeLogDirs (key 35, KIP-113): sizes on disk. `topics` null means all. v3 an error for the whole
 * answer, v4 the room on the volume (KIP-827), -1 when not known.
 */
export const describeLogDirs = defineApi({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 4],
  flexible: 2,
  request: {
    topics: list({ topic: str, partitions: list(i32) })
      .nullable()
      .default([]),
  },
  response: {
    throttleTimeMs: i32,
    errorCode: i16.since(3),
    results: list({
      errorCode: i16,
      logDir: str,
      topics: list({
        name: str,
        partitions: list({
          partitionIndex: i32,
          partitionSize: i64,
          offsetLag: i64,
          isFutureKey: bool,
        }),
      }),
      totalBytes: i64.since(4).default(-1),
      usableBytes: i64.since(4).default(-1),
    }),
  },
})
