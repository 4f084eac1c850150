import type { ResolvedConfig } from '../config/resolve-config.ts'
import { topicConfigs } from '../worker/create-topics.ts'

/** A topic as the application declares it; what it leaves out is the broker's business. */
export interface WantedTopic {
  /** On the wire. */
  readonly name: string
  readonly cluster: string
  /** Undefined: the broker's default, or as many as `follows` has. */
  readonly partitions: number | undefined
  readonly replicas: number | undefined
  /** By Kafka's names; only these are compared. */
  readonly configs: Readonly<Record<string, string>>
  /** The topic whose messages it takes over, for dead letter and retry topics: created after it. */
  readonly follows: string | undefined
}

/** Every declared topic, dead letter and retry topics included, those that follow others behind them. */
export function wantedTopics({
  topics,
  plans,
  wireName,
  clusterOf,
}: ResolvedConfig): readonly WantedTopic[] {
  const declared = topics.map((topic): WantedTopic => {
    const { partitions, replicas } = topic.options
    return {
      name: wireName(topic.name),
      cluster: clusterOf(topic),
      partitions,
      replicas,
      configs: topicConfigs(topic.options),
      follows: undefined,
    }
  })
  const letters = plans.flatMap(({ deadLetter, retryTopics }) => [
    ...(deadLetter?.declared ?? []),
    ...(retryTopics?.declared ?? []),
  ])
  const following = letters.map(({ topic, source, partitions, configs }): WantedTopic => ({
    name: wireName(topic),
    cluster: clusterOf(source),
    partitions,
    replicas: undefined,
    configs,
    follows: wireName(source),
  }))
  // Consumers may share a dead letter topic, and it may be declared itself: then that counts.
  const byName = new Map<string, WantedTopic>()
  for (const wanted of [...declared, ...following])
    if (!byName.has(wanted.name)) byName.set(wanted.name, wanted)
  return [...byName.values()]
}
