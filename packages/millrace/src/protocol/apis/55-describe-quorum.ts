import { defineApi } from '../schema/define-api.ts'
import { i16, i32, i64, list, str } from '../schema/field.ts'

const replicaState = {
  replicaId: i32,
  logEndOffset: i64,
  lastFetchTimestamp: i64.since(1).default(-1),
  lastCaughtUpTimestamp: i64.since(1).default(-1),
}

const replicas = list(replicaState)

/** DescribeQuorum (key 55, KIP-595). v1 when each replica last fetched (KIP-836). v2 is not spoken. */
export const describeQuorum = defineApi({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 1],
  flexible: 0,
  request: {
    topics: list({ topicName: str, partitions: list({ partitionIndex: i32 }) }),
  },
  response: {
    errorCode: i16,
    topics: list({
      topicName: str,
      partitions: list({
        partitionIndex: i32,
        errorCode: i16,
        leaderId: i32,
        leaderEpoch: i32,
        highWatermark: i64,
        currentVoters: replicas,
        observers: replicas,
      }),
    }),
  },
})
