import { defineApi } from '../schema/define-api.ts'
import { i16, i32, i64, list, str, u16, uuid } from '../schema/field.ts'

const replicaState = {
  replicaId: i32,
  replicaDirectoryId: uuid.since(2),
  logEndOffset: i64,
  lastFetchTimestamp: i64.since(1).default(-1),
  lastCaughtUpTimestamp: i64.since(1).default(-1),
}

const replicas = list(replicaState)

/** DescribeQuorum (key 55, KIP-595). v1 when each replica last fetched (KIP-836). v2 directories, and
 * where the nodes listen (KIP-853). */
export const describeQuorum = defineApi({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexible: 0,
  request: {
    topics: list({ topicName: str, partitions: list({ partitionIndex: i32 }) }),
  },
  response: {
    errorCode: i16,
    errorMessage: str.since(2).nullable(2).default(''),
    topics: list({
      topicName: str,
      partitions: list({
        partitionIndex: i32,
        errorCode: i16,
        errorMessage: str.since(2).nullable(2).default(''),
        leaderId: i32,
        leaderEpoch: i32,
        highWatermark: i64,
        currentVoters: replicas,
        observers: replicas,
      }),
    }),
    nodes: list({
      nodeId: i32,
      listeners: list({ name: str, host: str, port: u16 }),
    }).since(2),
  },
})
