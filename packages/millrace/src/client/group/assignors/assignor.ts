/** A partition by name; the unit of every assignment. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** What the leader knows of one member. */
export interface AssignableMember {
  readonly memberId: string
  /** Static membership (KIP-345); null for a dynamic member. */
  readonly instanceId: string | null
  readonly topics: readonly string[]
  /** What the member holds while it joins; empty for members that gave everything up first. */
  readonly owned: readonly TopicPartition[]
  /** The generation in which the ownership was confirmed last; -1 when unknown (KIP-792). */
  readonly generation: number
  /** What the member's own assignor said of it. */
  readonly userData?: Buffer | null
}

export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>

/**
 * Decides who gets which partitions. Pure and deterministic: the order in which members are given
 * does not matter.
 */
export interface Assignor {
  /** The name on the wire; members of one group meet on a name that all of them offer. */
  readonly name: string
  /**
   * True: members keep their partitions while they join, and a partition that moves is first given up
   * by its owner, then assigned in the next generation (KIP-429).
   */
  readonly isCooperative: boolean
  /** Bytes for the subscription's user data, from the generation of the last assignment. */
  userData(generation: number): Buffer | null
  /** Every member has an entry in the answer. */
  assign(
    members: readonly AssignableMember[],
    partitionsByTopic: ReadonlyMap<string, number>,
  ): Assignment
}

/**
 * Members in the order in which they are served: static ones first by instance id, so that an order
 * survives restarts, then the others by member id. As the Java client.
 */
export function inMemberOrder(members: readonly AssignableMember[]): AssignableMember[] {
  return members.toSorted((left, right) => {
    if (left.instanceId !== null && right.instanceId !== null)
      return compare(left.instanceId, right.instanceId)
    if (left.instanceId !== null) return -1
    if (right.instanceId !== null) return 1
    return compare(left.memberId, right.memberId)
  })
}

/** By code unit, not by locale: every member of a group must come to the same order. */
export function compare(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
