import { defineApi } from '../schema/define-api.ts'
import { i16, i32, i8, list, str } from '../schema/field.ts'

/** ElectLeaders (key 43, KIP-460). Type 0 the preferred leader, 1 any (v1); null topics mean all. */
export const electLeaders = defineApi({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexible: 2,
  request: {
    electionType: i8.since(1),
    topicPartitions: list({ topic: str, partitions: list(i32) })
      .nullable()
      .default([]),
    timeoutMs: i32.default(60_000),
  },
  response: {
    throttleTimeMs: i32,
    errorCode: i16.since(1),
    replicaElectionResults: list({
      topic: str,
      partitionResult: list({
        partitionId: i32,
        errorCode: i16,
        errorMessage: str.nullable().default(''),
      }),
    }),
  },
})
