import { bool, i16, i32, i8, list, str, uuid } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * CreateTopics (key 19). v4: -1 partitions or replicas mean the broker's default (KIP-464). v5
 * answers with what was made (KIP-525), v7 with its id (KIP-516).
 */
export const createTopics = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexible: 5,
  request: {
    topics: list({
      name: str,
      numPartitions: i32,
      replicationFactor: i16,
      assignments: list({ partitionIndex: i32, brokerIds: list(i32) }),
      configs: list({ name: str, value: str.nullable().default('') }),
    }),
    timeoutMs: i32.default(60_000),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: i32,
    topics: list({
      name: str,
      topicId: uuid.since(7),
      errorCode: i16,
      errorMessage: str.nullable().default(''),
      topicConfigErrorCode: i16.since(5).tagged(0),
      numPartitions: i32.since(5).default(-1),
      replicationFactor: i16.since(5).default(-1),
      configs: list({
        name: str,
        value: str.nullable().default(''),
        readOnly: bool,
        configSource: i8.default(-1),
        isSensitive: bool,
      })
        .since(5)
        .nullable(5)
        .default([]),
    }),
  },
})
