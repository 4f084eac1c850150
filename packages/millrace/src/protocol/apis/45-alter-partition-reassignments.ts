import { defineApi } from '../schema/define-api.ts'
import { bool, i16, i32, list, str } from '../schema/field.ts'

/** AlterPartitionReassignments (key 45, KIP-455). Null replicas end a move that is on its way. */
export const alterPartitionReassignments = defineApi({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexible: 0,
  request: {
    timeoutMs: i32.default(60_000),
    allowReplicationFactorChange: bool.since(1).default(true),
    topics: list({
      name: str,
      partitions: list({ partitionIndex: i32, replicas: list(i32).nullable() }),
    }),
  },
  response: {
    throttleTimeMs: i32,
    allowReplicationFactorChange: bool.since(1).default(true),
    errorCode: i16,
    errorMessage: str.nullable().default(''),
    responses: list({
      name: str,
      partitions: list({
        partitionIndex: i32,
        errorCode: i16,
        errorMessage: str.nullable().default(''),
      }),
    }),
  },
})
