import { bool, i16, i32, list, str, uuid } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * Metadata (key 3). `topics`: in v0 an empty list means all; from v1 null does, and empty means none.
 * v4 lets the client forbid creation, v7 leader epoch (KIP-320), v8 authorized operations (KIP-430;
 * those of the cluster moved to DescribeCluster in v11), v10 topic ids (KIP-516), v13 an error for
 * the whole answer.
 */
export const metadata = defineApi({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexible: 9,
  request: {
    topics: list({ topicId: uuid.since(10), name: str.nullable(10).default('') })
      .nullable(1)
      .default([]),
    allowAutoTopicCreation: bool.since(4).default(true),
    includeClusterAuthorizedOperations: bool.since(8).until(10),
    includeTopicAuthorizedOperations: bool.since(8),
  },
  response: {
    throttleTimeMs: i32.since(3),
    brokers: list({ nodeId: i32, host: str, port: i32, rack: str.since(1).nullable(1) }),
    clusterId: str.since(2).nullable(2),
    controllerId: i32.since(1).default(-1),
    topics: list({
      errorCode: i16,
      name: str.nullable(12).default(''),
      topicId: uuid.since(10),
      isInternal: bool.since(1),
      partitions: list({
        errorCode: i16,
        partitionIndex: i32,
        leaderId: i32,
        leaderEpoch: i32.since(7).default(-1),
        replicaNodes: list(i32),
        isrNodes: list(i32),
        offlineReplicas: list(i32).since(5),
      }),
      topicAuthorizedOperations: i32.since(8).default(-0x80000000),
    }),
    clusterAuthorizedOperations: i32.since(8).until(10).default(-0x80000000),
    errorCode: i16.since(13),
  },
})
