import { consumerAssignment, consumerSubscription } from '../../protocol/index.ts'
import type { AssignableMember, Assignor, TopicPartition } from './assignors/index.ts'
import type { JoinedMember } from './session-messages.ts'

/** Kafka's newest consumer protocol; any older member reads it, as a version adds fields at the end. */
const newest = 3

/** What a member says of itself in JoinGroup, for one assignor. */
export function encodeSubscription(
  assignor: Assignor,
  topics: readonly string[],
  owned: readonly TopicPartition[],
  ownedGeneration: number,
): Buffer {
  return consumerSubscription.encode(newest, {
    topics: topics.toSorted(),
    userData: assignor.userData(ownedGeneration),
    ownedPartitions: groupByTopic(owned),
    generationId: ownedGeneration,
    rackId: null,
  })
}

/** The leader's reading of a member. Clients before protocol version 2 tell their generation in the user data. */
export function decodeMember(member: JoinedMember, assignor: Assignor): AssignableMember {
  const { memberId, instanceId, metadata } = member
  const { topics, ownedPartitions, generationId, userData } = consumerSubscription.decode(metadata)
  const isOlder = generationId < 0 && assignor.isCooperative && userData?.length === 4
  return {
    memberId,
    instanceId,
    topics,
    owned: ownedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
    generation: isOlder ? userData.readInt32BE(0) : generationId,
    userData,
  }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  // Version 1 is what the Java client writes into assignments of cooperative groups; the versions do not differ.
  return consumerAssignment.encode(1, {
    assignedPartitions: groupByTopic(partitions),
    userData: null,
  })
}

/** Empty bytes: the leader gave this member nothing. */
export function decodeAssignment(bytes: Buffer): readonly TopicPartition[] {
  if (bytes.length === 0) return []
  return consumerAssignment
    .decode(bytes)
    .assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    )
}

function groupByTopic(
  partitions: readonly TopicPartition[],
): { topic: string; partitions: number[] }[] {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
  return Array.from(byTopic, ([topic, list]) => ({
    topic,
    partitions: list.map(({ partition }) => partition),
  }))
}
