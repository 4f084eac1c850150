import { i16, i32, i64, list, records, str, struct, uuid } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * Produce (key 0).
 *
 * - v5 log start offset, v8 errors of single records (KIP-467), v10 the leader in tagged fields
 *   (KIP-951), v13 topics by id (KIP-516).
 * - v0-2 carry message sets older than record batches: no layout here. A broker still announces
 *   them (librdkafka before 2.11.1 switches compression off otherwise) and refuses them.
 */
export const produce = defineApi({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  flexible: 9,
  request: {
    transactionalId: str.nullable(3),
    acks: i16,
    timeoutMs: i32,
    topicData: list({
      name: str.until(12),
      topicId: uuid.since(13),
      partitionData: list({ index: i32, records: records.nullable() }),
    }),
  },
  response: {
    responses: list({
      name: str.until(12),
      topicId: uuid.since(13),
      partitionResponses: list({
        index: i32,
        errorCode: i16,
        baseOffset: i64,
        logAppendTimeMs: i64.default(-1),
        logStartOffset: i64.since(5).default(-1),
        recordErrors: list({
          batchIndex: i32,
          batchIndexErrorMessage: str.nullable(8),
        }).since(8),
        errorMessage: str.since(8).nullable(8),
        currentLeader: struct({ leaderId: i32.default(-1), leaderEpoch: i32.default(-1) })
          .since(10)
          .tagged(0),
      }),
    }),
    throttleTimeMs: i32,
    nodeEndpoints: list({ nodeId: i32, host: str, port: i32, rack: str.nullable() })
      .since(10)
      .tagged(0),
  },
})
