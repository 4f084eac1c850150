import type { BrokerCore } from './broker-core.ts'

export interface BrokerStats {
  /** Open now. */
  readonly connections: number
  readonly topics: number
  readonly partitions: number
  /** Of all logs. */
  readonly bytes: number
  readonly groups: number
  readonly isDiskFull: boolean
  readonly uptimeMs: number
}

export function brokerStats(
  { store, groups, clock }: BrokerCore,
  facts: { readonly connections: number; readonly startMs: number },
): BrokerStats {
  let partitions = 0
  let bytes = 0
  const topics = store.topics()
  for (const topic of topics) {
    partitions += topic.partitions
    for (let index = 0; index < topic.partitions; index++)
      bytes += store.partition(topic.name, index)?.sizeInBytes ?? 0
  }
  return {
    connections: facts.connections,
    topics: topics.length,
    partitions,
    bytes,
    groups: groups.all.size,
    isDiskFull: store.isDiskFull,
    uptimeMs: clock.monotonicMs() - facts.startMs,
  }
}
