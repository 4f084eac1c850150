import type { DescribedGroup, DescribedTopic, ReplicaSize } from '../client/index.ts'
import { failure, isFailure } from '../errors/index.ts'
import { nearest } from '../kit/index.ts'
import type { Cluster } from './cluster.ts'
import type { Place } from './parse-places.ts'

/** Questions about a cluster that several commands ask. */

export interface PartitionRange {
  readonly topic: string
  readonly partition: number
  /** Log start offset. */
  readonly start: number
  /** The next offset to be given. */
  readonly end: number
}

/** Log start and log end of every partition of these topics. */
export async function partitionRanges(
  { admin }: Cluster,
  topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partition: number }[]
  }[],
): Promise<readonly PartitionRange[]> {
  const places = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partition }) => ({ topic: name, partition })),
  )
  const [starts, ends] = await Promise.all([
    admin.listOffsets(places.map((place) => ({ ...place, at: 'earliest' as const }))),
    admin.listOffsets(places.map((place) => ({ ...place, at: 'latest' as const }))),
  ])
  return places.map((place, index) => {
    const error = starts[index]?.error ?? ends[index]?.error
    if (error) throw error
    return { ...place, start: starts[index]?.offset ?? 0, end: ends[index]?.offset ?? 0 }
  })
}

/** @throws MR_CLI_TOPIC_UNKNOWN with the nearest name */
export async function topicNamed(cluster: Cluster, name: string): Promise<DescribedTopic> {
  const [topic] = await topicsNamed(cluster, [name])
  return topic!
}

/** @throws MR_CLI_TOPIC_UNKNOWN for the first that is not there */
export async function topicsNamed(
  { admin }: Cluster,
  names: readonly string[],
): Promise<readonly DescribedTopic[]> {
  const all = await admin.describeTopics()
  const byName = new Map(all.map((topic) => [topic.name, topic]))
  return names.map((name) => {
    const topic = byName.get(name)
    if (!topic)
      throw failure('MR_CLI_TOPIC_UNKNOWN', { topic: name, near: nearest(name, byName.keys()) })
    if (topic.error) throw topic.error
    return topic
  })
}

/** Topics with the partitions that their places name. @throws MR_CLI_TOPIC_UNKNOWN */
export async function placesNamed(
  cluster: Cluster,
  places: readonly Place[],
): Promise<readonly DescribedTopic[]> {
  const topics = await topicsNamed(
    cluster,
    places.map(({ topic }) => topic),
  )
  return topics.map((topic, index) => {
    const wanted = places[index]?.partitions
    const partitions = topic.partitions.filter(({ partition }) => wanted?.has(partition) ?? true)
    return { ...topic, partitions }
  })
}

/** @throws MR_CLI_GROUP_UNKNOWN with the nearest name */
export async function groupNamed({ admin }: Cluster, name: string): Promise<DescribedGroup> {
  const known = (await admin.listGroups()).map(({ groupId }) => groupId)
  const [group] = known.includes(name) ? await admin.describeGroups([name]) : []
  if (!group) throw failure('MR_CLI_GROUP_UNKNOWN', { group: name, near: nearest(name, known) })
  if (group.error) throw group.error
  return group
}

/** How many offsets lie between start and end; compacted and transactional topics hold fewer messages. */
export function messagesIn(ranges: readonly PartitionRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0)
}

/** All that was ever sent, for rates. */
export function endsOf(ranges: readonly PartitionRange[]): number {
  return ranges.reduce((sum, { end }) => sum + end, 0)
}

/** Bytes of each topic's log, one replica of each partition; undefined where the cluster does not tell. */
export async function sizesByTopic({
  admin,
}: Cluster): Promise<ReadonlyMap<string, number> | undefined> {
  let replicas: readonly ReplicaSize[]
  try {
    replicas = await admin.replicaSizes()
  } catch (error) {
    // Hosted clusters often keep this question for their operators; a listing is worth having without it.
    if (isFailure(error, 'MR_CONNECTION_VERSION_UNSUPPORTED', 'MR_KAFKA_ERROR')) return undefined
    throw error
  }
  const largest = new Map<string, ReplicaSize>()
  for (const replica of replicas) {
    const key = `${replica.topic}/${replica.partition}`
    if (replica.bytes >= (largest.get(key)?.bytes ?? 0)) largest.set(key, replica)
  }
  const sizes = new Map<string, number>()
  for (const { topic, bytes } of largest.values()) sizes.set(topic, (sizes.get(topic) ?? 0) + bytes)
  return sizes
}
