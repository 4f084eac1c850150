/**
 * Metadata (key 3).
 *
 * - v0: an empty list means all topics; from v1 null does, and an empty list means none.
 * - A topic that is missing is made when the client allows it (below v4 always) and the broker does;
 *   it is ready in this very answer. A name that cannot be one: 17. Unknown: 3, by id 100 (v12, KIP-516).
 * - One broker, which is controller, leader, only replica and in sync.
 * - Authorized operations are left unknown: there is no authorizer.
 */
import { isFailure } from '../../errors/index.ts'
import { apis, errorCodes, type ResponseInput } from '../../protocol/index.ts'
import { isTopicName, type TopicRecord } from '../../storage/index.ts'
import { offsetsTopic, zeroUuid } from '../topics/topics.ts'
import { defineHandler, type Call } from './define-handler.ts'

type TopicRow = NonNullable<ResponseInput<typeof apis.metadata>['topics']>[number]

export const metadataHandler = defineHandler(
  apis.metadata,
  { versions: [0, 13] },
  async (request, call) => {
    const { broker, peer, version } = call
    const { nodeId } = broker.store
    const asksAll = request.topics === null || (version === 0 && request.topics.length === 0)
    const topics: TopicRow[] = []
    if (asksAll) {
      for (const topic of broker.topics.all) topics.push(describe(topic, nodeId))
    } else {
      for (const { topicId, name } of request.topics ?? []) {
        topics.push(
          topicId === zeroUuid || version < 10
            ? await byName(name ?? '', request.allowAutoTopicCreation, call)
            : byId(topicId, call),
        )
      }
    }
    return {
      brokers: [{ nodeId, ...peer.advertised, rack: null }],
      clusterId: broker.store.clusterId,
      controllerId: nodeId,
      topics,
    }
  },
)

async function byName(name: string, mayCreate: boolean, { broker }: Call): Promise<TopicRow> {
  const known = broker.topics.named(name)
  if (known !== undefined) return describe(known, broker.store.nodeId)
  if (!isTopicName(name)) return { name, errorCode: errorCodes.INVALID_TOPIC_EXCEPTION }
  // Kafka makes that one when it is asked for, whatever the client allows.
  const isForGroups = name === offsetsTopic
  if (!isForGroups && !(mayCreate && broker.settings.autoCreateTopics))
    return { name, errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION }
  try {
    const topic = await (isForGroups ? broker.groups.ensureTopic() : broker.topics.ensure(name))
    return describe(topic, broker.store.nodeId)
  } catch (error) {
    if (!isFailure(error)) throw error
    return { name, errorCode: errorCodes.KAFKA_STORAGE_ERROR }
  }
}

function byId(topicId: string, { broker }: Call): TopicRow {
  const topic = broker.topics.withId(topicId)
  if (topic !== undefined) return describe(topic, broker.store.nodeId)
  return { name: null, topicId, errorCode: errorCodes.UNKNOWN_TOPIC_ID }
}

function describe(topic: TopicRecord, nodeId: number): TopicRow {
  return {
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: Array.from({ length: topic.partitions }, (_, partitionIndex) => ({
      partitionIndex,
      leaderId: nodeId,
      leaderEpoch: 0,
      replicaNodes: [nodeId],
      isrNodes: [nodeId],
    })),
  }
}
