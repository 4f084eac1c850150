import { i16, i32, i64, i8, list, records, str, struct, uuid } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** 2^63-1, which as a number is 2^63. */
const unknownHighWatermark = 2 ** 63

/**
 * Fetch (key 1).
 *
 * - v5 log start offset, v7 sessions (KIP-227), v9 leader epoch (KIP-320), v11 rack (KIP-392),
 *   v12 diverging epoch (KIP-595), v13 topics by id (KIP-516), v16 endpoints (KIP-951).
 * - v15 moves the replica's id into a tagged struct; consumers send -1 either way.
 */
export const fetch = defineApi({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexible: 12,
  request: {
    clusterId: str.since(12).nullable(12).tagged(0),
    replicaId: i32.until(14).default(-1),
    replicaState: struct({ replicaId: i32.default(-1), replicaEpoch: i64.default(-1) })
      .since(15)
      .tagged(1),
    maxWaitMs: i32,
    minBytes: i32,
    maxBytes: i32.default(0x7fffffff),
    isolationLevel: i8,
    sessionId: i32.since(7),
    sessionEpoch: i32.since(7).default(-1),
    topics: list({
      topic: str.until(12),
      topicId: uuid.since(13),
      partitions: list({
        partition: i32,
        currentLeaderEpoch: i32.since(9).default(-1),
        fetchOffset: i64,
        lastFetchedEpoch: i32.since(12).default(-1),
        logStartOffset: i64.since(5).default(-1),
        partitionMaxBytes: i32,
        replicaDirectoryId: uuid.since(17).tagged(0),
        highWatermark: i64.since(18).default(unknownHighWatermark).tagged(1),
      }),
    }),
    forgottenTopicsData: list({
      topic: str.until(12),
      topicId: uuid.since(13),
      partitions: list(i32),
    }).since(7),
    rackId: str.since(11),
  },
  response: {
    throttleTimeMs: i32,
    errorCode: i16.since(7),
    sessionId: i32.since(7),
    responses: list({
      topic: str.until(12),
      topicId: uuid.since(13),
      partitions: list({
        partitionIndex: i32,
        errorCode: i16,
        highWatermark: i64,
        lastStableOffset: i64.default(-1),
        logStartOffset: i64.since(5).default(-1),
        divergingEpoch: struct({ epoch: i32.default(-1), endOffset: i64.default(-1) })
          .since(12)
          .tagged(0),
        currentLeader: struct({ leaderId: i32.default(-1), leaderEpoch: i32.default(-1) })
          .since(12)
          .tagged(1),
        snapshotId: struct({ endOffset: i64.default(-1), epoch: i32.default(-1) })
          .since(12)
          .tagged(2),
        abortedTransactions: list({ producerId: i64, firstOffset: i64 }).nullable(4).default([]),
        preferredReadReplica: i32.since(11).default(-1),
        records: records.nullable(),
      }),
    }),
    nodeEndpoints: list({ nodeId: i32, host: str, port: i32, rack: str.nullable() })
      .since(16)
      .tagged(0),
  },
})
