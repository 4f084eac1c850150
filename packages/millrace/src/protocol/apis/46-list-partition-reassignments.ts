import { defineApi } from '../schema/define-api.ts'
import { i16, i32, list, str } from '../schema/field.ts'

/** ListPartitionReassignments (key 46, KIP-455). Null topics mean all. */
export const listPartitionReassignments = defineApi({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexible: 0,
  request: {
    timeoutMs: i32.default(60_000),
    topics: list({ name: str, partitionIndexes: list(i32) }).nullable(),
  },
  response: {
    throttleTimeMs: i32,
    errorCode: i16,
    errorMessage: str.nullable().default(''),
    topics: list({
      name: str,
      partitions: list({
        partitionIndex: i32,
        replicas: list(i32),
        addingReplicas: list(i32),
        removingReplicas: list(i32),
      }),
    }),
  },
})
