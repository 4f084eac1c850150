/**
 * DescribeTopicPartitions (key 75, KIP-966).
 *
 * - Topics in the order of their names, at most `responsePartitionLimit` partitions (2000 at most, 1 at least);
 *   the cursor says where the next page begins. No topics mean all.
 * - A topic that was named and is not there is 3, a name that cannot be one 17; neither counts.
 * - The one broker leads each partition and is its only replica; none waits to become eligible.
 */
import { apis, errorCodes, type ResponseInput } from '../../protocol/index.ts'
import { isTopicName } from '../../storage/index.ts'
import { defineHandler, hangUp } from './define-handler.ts'

type Answer = ResponseInput<typeof apis.describeTopicPartitions>
type TopicRow = NonNullable<Answer['topics']>[number]

const mostPartitions = 2000

export const describeTopicPartitionsHandler = defineHandler(
  apis.describeTopicPartitions,
  { versions: [0, 0] },
  (request, { broker }) => {
    const { cursor } = request
    // There is no field for the fault of a whole request; Kafka, too, has only the connection to answer with.
    if (cursor !== null && cursor.partitionIndex < 0) return hangUp
    const asked =
      request.topics.length > 0
        ? [...new Set(request.topics.map(({ name }) => name))]
        : broker.topics.all.map(({ name }) => name)
    const names = asked.filter((name) => cursor === null || name >= cursor.topicName).toSorted()
    const topics: TopicRow[] = []
    let left = Math.min(Math.max(request.responsePartitionLimit, 1), mostPartitions)
    for (const name of names) {
      const first = cursor?.topicName === name ? cursor.partitionIndex : 0
      if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: first } }
      const topic = broker.topics.named(name)
      if (topic === undefined) {
        const errorCode = isTopicName(name)
          ? errorCodes.UNKNOWN_TOPIC_OR_PARTITION
          : errorCodes.INVALID_TOPIC_EXCEPTION
        topics.push({ name, errorCode })
        continue
      }
      const end = Math.min(topic.partitions, first + left)
      topics.push({
        name,
        topicId: topic.id,
        isInternal: topic.isInternal,
        partitions: partitionRows(first, end, broker.store.nodeId),
      })
      left -= Math.max(end - first, 0)
      if (end < topic.partitions)
        return { topics, nextCursor: { topicName: name, partitionIndex: end } }
    }
    return { topics }
  },
)

function partitionRows(
  first: number,
  end: number,
  nodeId: number,
): NonNullable<TopicRow['partitions']> {
  return Array.from({ length: Math.max(end - first, 0) }, (_, index) => ({
    partitionIndex: first + index,
    leaderId: nodeId,
    leaderEpoch: 0,
    replicaNodes: [nodeId],
    isrNodes: [nodeId],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  }))
}
