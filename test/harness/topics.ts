import type { Client } from '../../packages/millrace/src/client/index.ts'
import { apis, errorCodes, kafkaErrorOf } from '../../packages/millrace/src/protocol/index.ts'
import { until } from './until.ts'

export interface ScenarioTopic {
  /** Default 1. */
  readonly partitions?: number
  /** By Kafka's names: `{ 'retention.ms': '1000' }`. */
  readonly configs?: Readonly<Record<string, string>>
}

const requestTimeoutMs = 30_000

/** Creates topics and waits until every partition has its leader. Speaks the wire, so that it needs no part under test but connections. */
export async function createTopics(
  client: Client,
  topics: Readonly<Record<string, ScenarioTopic>>,
): Promise<void> {
  const names = Object.keys(topics)
  if (names.length === 0) return
  const connection = await client.connections.connect('any', 'data')
  const answer = await connection.request(apis.createTopics, {
    topics: Object.entries(topics).map(([name, topic]) => ({
      name,
      numPartitions: topic.partitions ?? 1,
      replicationFactor: 1,
      configs: Object.entries(topic.configs ?? {}).map(([config, value]) => ({
        name: config,
        value,
      })),
    })),
    timeoutMs: requestTimeoutMs,
  })
  for (const { name, errorCode, errorMessage } of answer.topics) {
    if (errorCode === 0) continue
    throw new Error(`${name} was not created: ${kafkaErrorOf(errorCode).name} ${errorMessage}`)
  }

  let seen: unknown
  await until(
    'every partition is served by its leader',
    async () => {
      const metadata = await connection.request(apis.metadata, {
        topics: names.map((name) => ({ name })),
        allowAutoTopicCreation: false,
      })
      seen = metadata.topics
      const isLed = metadata.topics.every(
        ({ errorCode, partitions }) =>
          errorCode === 0 && partitions.every((partition) => partition.leaderId >= 0),
      )
      if (!isLed) return false
      // Kafka names a leader some time before that broker knows of it.
      const offsets = await connection.request(apis.listOffsets, {
        replicaId: -1,
        topics: metadata.topics.map(({ name, partitions }) => ({
          name: name ?? '',
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, timestamp: -1 })),
        })),
      })
      seen = offsets.topics
      return offsets.topics.every(({ partitions }) =>
        partitions.every(({ errorCode }) => errorCode === 0),
      )
    },
    { lastSeen: () => seen },
  )
}

/** So that an Apache Kafka which serves many runs does not fill up. A topic that is gone already is no error. */
export async function deleteTopics(client: Client, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const connection = await client.connections.connect('any', 'data')
  await connection.request(apis.deleteTopics, {
    topics: names.map((name) => ({ name })),
    topicNames: [...names],
    timeoutMs: requestTimeoutMs,
  })
}

/** Deletes a topic, and makes one of the same name once it is gone: another id, no messages. */
export async function makeAnew(client: Client, name: string, topic: ScenarioTopic): Promise<void> {
  const connection = await client.connections.connect('any', 'data')
  await deleteTopics(client, [name])
  await until('the topic is gone', async () => {
    const metadata = await connection.request(apis.metadata, {
      topics: [{ name }],
      allowAutoTopicCreation: false,
    })
    return metadata.topics[0]?.errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION
  })
  await createTopics(client, { [name]: topic })
}
