/** A partition as the newest answer showed it. `leader` is -1 while there is none. */
export interface PartitionMetadata {
  readonly partition: number
  readonly leader: number
  /** -1 when the broker is too old to say (Metadata below v7). */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  readonly offline: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  /** The zero uuid when the broker is too old to say (Metadata below v10). */
  readonly id: string
  readonly isInternal: boolean
  /** By partition number, without gaps. */
  readonly partitions: readonly PartitionMetadata[]
}

export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Was the topic deleted and created again between the two? Only known where both carry ids (KIP-516). */
export function isReplaced(known: TopicMetadata, fresh: TopicMetadata): boolean {
  return known.id !== zeroUuid && fresh.id !== zeroUuid && known.id !== fresh.id
}

/**
 * What to believe after a new answer. Brokers learn of elections at different times, so an answer may be older
 * than what is known: a smaller leader epoch never replaces a greater one (KIP-320), unless the topic is another.
 */
export function mergeTopic(known: TopicMetadata | undefined, fresh: TopicMetadata): TopicMetadata {
  if (!known || isReplaced(known, fresh)) return fresh
  return {
    ...fresh,
    partitions: fresh.partitions.map((partition, index) => {
      const before = known.partitions[index]
      return before && before.leaderEpoch > partition.leaderEpoch ? before : partition
    }),
  }
}

/** The topic under a leader that a broker hinted at (KIP-951); older hints change nothing. */
export function withLeader(
  topic: TopicMetadata,
  partition: number,
  leader: number,
  leaderEpoch: number,
): TopicMetadata {
  const before = topic.partitions[partition]
  if (!before || leaderEpoch <= before.leaderEpoch) return topic
  return {
    ...topic,
    partitions: topic.partitions.with(partition, { ...before, leader, leaderEpoch }),
  }
}
