import type { AssignedPartitions } from '../../client/index.ts'

/** For consumers whose partitions are chosen by whoever runs them, instead of spread by a group. */
export interface AssignmentSettings {
  /**
   * These partitions of its topics, or all of them, without joining the group: nobody rebalances them. Every process
   * that runs the consumer gets the same ones; `millrace worker --assign orders:0,1` says it for one process.
   */
  readonly assign?: AssignedPartitions
  /**
   * With `assign`: the group that positions are committed to, without joining it; it must have no members. `'none'` keeps
   * none, and every start begins at `start`. Default the consumer's group.
   */
  readonly positions?: string
}

/** Partitions of one topic for one process. */
export interface AssignedTopic {
  readonly topic: string
  readonly partitions: AssignedPartitions
}

/** A consumer that takes partitions by itself. */
export interface AssignmentPlan {
  /** By the declared name of the topic. */
  readonly partitionsByTopic: ReadonlyMap<string, AssignedPartitions>
  /** Kafka's id of the group that keeps the positions; undefined: nobody does. */
  readonly groupId: string | undefined
}
