import { failure, type MillraceError } from '../../errors/index.ts'
import {
  readingOf,
  type GroupSettings,
  type OwnedPartition,
  type ReadingOptions,
} from '../group/index.ts'

/** Partitions of a topic by number, or all that it has and will have. */
export type AssignedPartitions = readonly number[] | 'all'

export interface AssignmentOptions extends ReadingOptions {
  readonly topics: Readonly<Record<string, AssignedPartitions>>
  /**
   * Where positions are read from and committed to, without joining it. Undefined: nowhere, and every start begins at
   * `start`.
   */
  readonly groupId?: string | undefined
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
    ...readingOf(options),
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
