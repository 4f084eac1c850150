/**
 * DescribeQuorum (key 55): the quorum that keeps the metadata is this broker. Any other partition than the
 * metadata's is 3.
 *
 * - **Not done**: topics are kept in files, not in a log of records, so its offsets are 0; v2 (where the
 *   controllers listen).
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

const metadataTopic = '__cluster_metadata'

export const describeQuorumHandler = defineHandler(
  apis.describeQuorum,
  { versions: [0, 1] },
  ({ topics }, { broker }) => {
    const { nodeId } = broker.store
    const nowMs = broker.clock.now()
    return {
      topics: topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) =>
          topicName === metadataTopic && partitionIndex === 0
            ? {
                partitionIndex,
                leaderId: nodeId,
                leaderEpoch: 1,
                currentVoters: [
                  { replicaId: nodeId, lastFetchTimestamp: nowMs, lastCaughtUpTimestamp: nowMs },
                ],
              }
            : { partitionIndex, errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION },
        ),
      })),
    }
  },
)
