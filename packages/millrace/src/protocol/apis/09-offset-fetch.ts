import { bool, i16, i32, i64, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * OffsetFetch (key 9). Up to v7 one group stands in the message itself, from v8 several in `groups`
 * (KIP-709). `topics` null (v2) means all. v7 can wait for open transactions (KIP-447), v9 carries
 * the member's epoch (KIP-848).
 */
export const offsetFetch = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 9],
  flexible: 6,
  request: {
    groupId: str.until(7),
    topics: list({ name: str, partitionIndexes: list(i32) })
      .until(7)
      .nullable(2)
      .default([]),
    groups: list({
      groupId: str,
      memberId: str.since(9).nullable(9),
      memberEpoch: i32.since(9).default(-1),
      topics: list({ name: str, partitionIndexes: list(i32) })
        .nullable(8)
        .default([]),
    }).since(8),
    requireStable: bool.since(7),
  },
  response: {
    throttleTimeMs: i32.since(3),
    topics: list({
      name: str,
      partitions: list({
        partitionIndex: i32,
        committedOffset: i64,
        committedLeaderEpoch: i32.since(5).default(-1),
        metadata: str.nullable().default(''),
        errorCode: i16,
      }),
    }).until(7),
    errorCode: i16.since(2).until(7),
    groups: list({
      groupId: str,
      topics: list({
        name: str,
        partitions: list({
          partitionIndex: i32,
          committedOffset: i64,
          committedLeaderEpoch: i32.default(-1),
          metadata: str.nullable().default(''),
          errorCode: i16,
        }),
      }),
      errorCode: i16,
    }).since(8),
  },
})
