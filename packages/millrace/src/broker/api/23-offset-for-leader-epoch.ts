/**
 * OffsetForLeaderEpoch (key 23): where a leader epoch ended; clients check their position with it after a
 * change of leaders (KIP-320). There is one epoch here, 0, and its end is the end of the log. An epoch that
 * never was answers -1 and -1.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { leaderEpochFault } from '../topics/leader-epoch.ts'
import { defineHandler } from './define-handler.ts'

export const offsetForLeaderEpochHandler = defineHandler(
  apis.offsetForLeaderEpoch,
  { versions: [2, 4] },
  (request, { broker }) => ({
    topics: request.topics.map(({ topic: name, partitions }) => {
      const topic = broker.topics.named(name)
      return {
        topic: name,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
          const log = topic === undefined ? undefined : broker.topics.partition(topic, partition)
          if (log === undefined)
            return { partition, errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION }
          const errorCode = leaderEpochFault(currentLeaderEpoch, log.leaderEpoch)
          if (errorCode !== errorCodes.NONE) return { partition, errorCode }
          return leaderEpoch === log.leaderEpoch
            ? { partition, leaderEpoch, endOffset: log.highWatermark }
            : { partition, leaderEpoch: -1, endOffset: -1 }
        }),
      }
    }),
  }),
)
