import type { OwnerState } from '../owner/partition-owner.ts'

/** What health is judged by: plain facts at one moment, ages in milliseconds. */
export interface HealthFacts {
  /** `running`, `stopping`... */
  readonly state: string
  /** Why the worker ends by itself, once it does. */
  readonly fatal: string | undefined
  readonly clusters: readonly ClusterFacts[]
  readonly groups: readonly GroupFacts[]
  readonly partitions: readonly PartitionFacts[]
  readonly runnables: readonly RunnableFacts[]
}

export interface ClusterFacts {
  readonly name: string
  /** Undefined while reachable, or while nobody needed it. */
  readonly unreachableMs: number | undefined
}

export interface GroupFacts {
  readonly group: string
  readonly groupId: string
  readonly cluster: string
  /** The member's phase; `assigned` for partitions without a group. */
  readonly phase: string
  /** How long it has been anything but steady with its brokers reachable; 0 when it is steady. */
  readonly unsteadyMs: number
}

export interface PartitionFacts {
  readonly group: string
  readonly consumer: string
  readonly topic: string
  readonly partition: number
  readonly state: OwnerState
  /** Next offset to hand over; -1 until it is known. */
  readonly position: number
  /** As the worker sees it: from what it has fetched, so it stands still while the partition is paused. */
  readonly lag: number
  /** As the brokers know it: the end of the log minus what is committed; undefined until they were asked. */
  readonly brokerLag: number | undefined
  /** Since it last moved, or since it has nothing to do. */
  readonly idleMs: number
  /** Since the offset at its head failed for the first time; 0 when it does not fail. */
  readonly failingMs: number
  readonly jobs: readonly JobAge[]
  readonly slowAfterMs: number | undefined
  readonly lanes: { readonly busy: number; readonly size: number }
}

export interface JobAge {
  /** `UsersConsumer users/0:42`. */
  readonly text: string
  readonly ageMs: number
}

export interface RunnableFacts {
  readonly name: string
  readonly isLive: boolean
  readonly isReady: boolean
  readonly reasons: readonly string[]
}
