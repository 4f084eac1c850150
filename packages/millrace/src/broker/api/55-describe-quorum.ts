/**
 * DescribeQuorum (key 55): the quorum that keeps the metadata is this broker. Any other partition than the
 * metadata's is 3.
 *
 * - v2: it listens, as a controller, where it listens as a broker; its folder has no id.
 * - Topics are kept in files, not in a log of records: the offsets are 0.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

const metadataTopic = '__cluster_metadata'

export const describeQuorumHandler = defineHandler(
  apis.describeQuorum,
  { versions: [0, 2] },
  ({ topics }, { broker, peer }) => {
    const { nodeId } = broker.store
    const nowMs = broker.clock.now()
    return {
      errorMessage: null,
      topics: topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) =>
          topicName === metadataTopic && partitionIndex === 0
            ? {
                partitionIndex,
                errorMessage: null,
                leaderId: nodeId,
                leaderEpoch: 1,
                currentVoters: [
                  { replicaId: nodeId, lastFetchTimestamp: nowMs, lastCaughtUpTimestamp: nowMs },
                ],
              }
            : {
                partitionIndex,
                errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
                errorMessage: null,
              },
        ),
      })),
      nodes: [{ nodeId, listeners: [{ name: 'CONTROLLER', ...peer.advertised }] }],
    }
  },
)
