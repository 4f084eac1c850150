import { i16, i32, i64, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * OffsetCommit (key 8). v5 drops the retention time (KIP-211), v6 leader epoch (KIP-320), v7 static
 * members (KIP-345), v9 takes a member epoch in place of the generation (KIP-848).
 */
export const offsetCommit = defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 9],
  flexible: 8,
  request: {
    groupId: str,
    generationIdOrMemberEpoch: i32.default(-1),
    memberId: str,
    groupInstanceId: str.since(7).nullable(7),
    retentionTimeMs: i64.until(4).default(-1),
    topics: list({
      name: str,
      partitions: list({
        partitionIndex: i32,
        committedOffset: i64,
        committedLeaderEpoch: i32.since(6).default(-1),
        committedMetadata: str.nullable().default(''),
      }),
    }),
  },
  response: {
    throttleTimeMs: i32.since(3),
    topics: list({
      name: str,
      partitions: list({ partitionIndex: i32, errorCode: i16 }),
    }),
  },
})
