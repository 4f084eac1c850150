import { defineApi } from '../schema/define-api.ts'
import { bool, i16, i32, list, str, struct, uuid } from '../schema/field.ts'

const cursor = struct({ topicName: str, partitionIndex: i32 }).nullable()

/** DescribeTopicPartitions (key 75, KIP-966). No topics mean all; a cursor says where the next page begins. */
export const describeTopicPartitions = defineApi({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexible: 0,
  request: {
    topics: list({ name: str }),
    responsePartitionLimit: i32.default(2000),
    cursor,
  },
  response: {
    throttleTimeMs: i32,
    topics: list({
      errorCode: i16,
      name: str.nullable().default(''),
      topicId: uuid,
      isInternal: bool,
      partitions: list({
        errorCode: i16,
        partitionIndex: i32,
        leaderId: i32,
        leaderEpoch: i32.default(-1),
        replicaNodes: list(i32),
        isrNodes: list(i32),
        eligibleLeaderReplicas: list(i32).nullable(),
        lastKnownElr: list(i32).nullable(),
        offlineReplicas: list(i32),
      }),
      topicAuthorizedOperations: i32.default(-0x80000000),
    }),
    nextCursor: cursor,
  },
})
