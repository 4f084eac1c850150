import { failure, type MillraceError } from '../../errors/index.ts'
import {
  defaultFetchLimits,
  type GroupSettings,
  type OwnedPartition,
  type StartPolicy,
} from '../group/index.ts'
import type { FetchLimits, ResetPolicy } from '../fetcher/index.ts'

/** Partitions of a topic by number, or all that it has and will have. */
export type AssignedPartitions = readonly number[] | 'all'

export interface AssignmentOptions {
  readonly topics: Readonly<Record<string, AssignedPartitions>>
  /**
   * Where positions are read from and committed to, without joining it. Undefined: nowhere, and every start begins at
   * `start`.
   */
  readonly groupId?: string | undefined
  /** Where to begin without a committed position. Default `earliest`. */
  readonly start?: StartPolicy
  /** When the position has fallen out of the log; default `earliest`. */
  readonly outOfRange?: ResetPolicy
  /** Default `read_committed`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  readonly fetch?: Partial<FetchLimits>
  readonly maxInflatedBytes?: number
  /** Longest wait for `onReleased`; default 30 s. */
  readonly drainMs?: number
  /** Partitions are there. Awaited before their first fetch, so that it may seek. */
  readonly onAssigned?: (partitions: readonly OwnedPartition[]) => void | Promise<void>
  /** The assignment is closed. Awaited, up to `drainMs`. */
  readonly onReleased?: (partitions: readonly OwnedPartition[]) => void | Promise<void>
  /** Lost offsets, broken batches, partitions that are not there, a group that has members. */
  readonly onError?: (error: MillraceError) => void
}

/** What tenures and commits need of a group's settings. @throws MR_ASSIGNMENT_INVALID */
export function settingsOfAssignment(options: AssignmentOptions): GroupSettings {
  const faults = faultsOf(options)
  if (faults.length > 0) throw failure('MR_ASSIGNMENT_INVALID', { what: faults.join('; ') })
  const drainMs = options.drainMs ?? 30_000
  return {
    groupId: options.groupId ?? '',
    topics: Object.keys(options.topics),
    assignors: [],
    isEager: false,
    instanceId: null,
    sessionTimeoutMs: 0,
    heartbeatIntervalMs: 0,
    rebalanceTimeoutMs: 0,
    drainMs,
    start: options.start ?? 'earliest',
    outOfRange: options.outOfRange ?? 'earliest',
    isReadCommitted: options.isolation !== 'read_uncommitted',
    fetch: { ...defaultFetchLimits, ...options.fetch },
    maxInflatedBytes: options.maxInflatedBytes,
  }
}

function faultsOf({ topics, groupId }: AssignmentOptions): string[] {
  const faults: string[] = []
  if (Object.keys(topics).length === 0) faults.push('topics is empty')
  if (groupId === '') faults.push('groupId is empty')
  for (const [topic, partitions] of Object.entries(topics)) {
    if (partitions === 'all') continue
    if (partitions.length === 0) faults.push(`${topic} has no partition`)
    const wrong = partitions.find((one) => !(Number.isInteger(one) && one >= 0))
    if (wrong !== undefined) faults.push(`${topic}: ${wrong} is no partition`)
    if (new Set(partitions).size < partitions.length) faults.push(`${topic} has one twice`)
  }
  return faults
}
