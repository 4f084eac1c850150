/**
 * ElectLeaders (key 43): the one broker leads already, so each partition that is named is 84, an unknown one 3.
 * Null means all, of which Kafka leaves out those without need: an empty list. A type it does not know: 42.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

const uncleanElection = 1

export const electLeadersHandler = defineHandler(
  apis.electLeaders,
  { versions: [0, 2] },
  ({ electionType, topicPartitions }, { broker }) => {
    if (electionType < 0 || electionType > uncleanElection)
      return { errorCode: errorCodes.INVALID_REQUEST }
    return {
      replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => {
        const count = broker.topics.named(topic)?.partitions ?? 0
        return {
          topic,
          partitionResult: partitions.map((partitionId) =>
            partitionId >= 0 && partitionId < count
              ? {
                  partitionId,
                  errorCode: errorCodes.ELECTION_NOT_NEEDED,
                  errorMessage: 'the one broker leads already',
                }
              : {
                  partitionId,
                  errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
                  errorMessage: `there is no partition ${topic}/${partitionId}`,
                },
          ),
        }
      }),
    }
  },
)
