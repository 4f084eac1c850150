import { failure, type MillraceError } from '../../errors/index.ts'
import type { FetchLimits, ResetPolicy } from '../fetcher/index.ts'
import { cooperativeSticky, type Assignor } from './assignors/index.ts'
import type { OwnedPartition } from './owned-partition.ts'

/** Where to start without a committed offset. `fail`: the partition stands still until it is told. */
export type StartPolicy = 'earliest' | 'latest' | 'fail' | { readonly timestampMs: number }

/** How partitions are read, however they came. */
export interface ReadingOptions {
  /** Where to begin without a committed position. Default `earliest`. */
  readonly start?: StartPolicy
  /** When the position has fallen out of the log; default `earliest`. */
  readonly outOfRange?: ResetPolicy
  /** Default `read_committed`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /** Defaults: 10 MiB an answer, 1 MiB a partition, 64 MiB in all, 500 ms, 1 byte. */
  readonly fetch?: Partial<FetchLimits>
  /** Largest size that a compressed batch may unfold to; default 128 MiB. */
  readonly maxInflatedBytes?: number
}

export interface GroupOptions extends ReadingOptions {
  readonly groupId: string
  /** May be empty at first with `mayBeEmpty`; changeable with `subscribe`. */
  readonly topics: readonly string[]
  /** Joins also without a topic, for those who find theirs later. Default false. */
  readonly mayBeEmpty?: boolean
  /**
   * Default: `cooperativeSticky` alone. A member that offers a non-cooperative one too gives up all its
   * partitions before each rebalance.
   */
  readonly assignors?: readonly Assignor[]
  /** Static membership (KIP-345): a restart within the session keeps the partitions without a rebalance. */
  readonly instanceId?: string
  /** Default 45 s; brokers allow 6 s to 30 min. */
  readonly sessionTimeoutMs?: number
  /** Default 3 s; at most a third of the session. */
  readonly heartbeatIntervalMs?: number
  /** How long a rebalance waits for this member; default `drainMs` plus 30 s. */
  readonly rebalanceTimeoutMs?: number
  /** Longest wait for `onRevoked`; default 30 s. */
  readonly drainMs?: number
  /** Partitions came. Awaited before their first fetch, so that it may seek. */
  readonly onAssigned?: (partitions: readonly OwnedPartition[]) => void | Promise<void>
  /** Partitions must go. Awaited, up to `drainMs`: finish what runs, then commit. */
  readonly onRevoked?: (partitions: readonly OwnedPartition[]) => void | Promise<void>
  /** Partitions are gone already; nothing can be committed. */
  readonly onLost?: (partitions: readonly OwnedPartition[]) => void | Promise<void>
  /** Lost offsets, broken batches, throwing hooks; and, fatal, what ends the member. */
  readonly onError?: (error: MillraceError, isFatal: boolean) => void
}

export interface GroupSettings {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly assignors: readonly Assignor[]
  readonly isEager: boolean
  readonly instanceId: string | null
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly rebalanceTimeoutMs: number
  readonly drainMs: number
  readonly start: StartPolicy
  readonly outOfRange: ResetPolicy
  readonly isReadCommitted: boolean
  readonly fetch: FetchLimits
  readonly maxInflatedBytes: number | undefined
}

export const defaultFetchLimits: FetchLimits = {
  maxBytes: 10 * 1024 * 1024,
  perPartitionBytes: 1024 * 1024,
  bufferedBytes: 64 * 1024 * 1024,
  maxWaitMs: 500,
  minBytes: 1,
}

export function readingOf(
  options: ReadingOptions,
): Pick<GroupSettings, 'start' | 'outOfRange' | 'isReadCommitted' | 'fetch' | 'maxInflatedBytes'> {
  return {
    start: options.start ?? 'earliest',
    outOfRange: options.outOfRange ?? 'earliest',
    isReadCommitted: options.isolation !== 'read_uncommitted',
    fetch: { ...defaultFetchLimits, ...options.fetch },
    maxInflatedBytes: options.maxInflatedBytes,
  }
}

/** @throws MR_GROUP_OPTIONS_INVALID with every fault */
export function settingsOf(options: GroupOptions): GroupSettings {
  const sessionTimeoutMs = options.sessionTimeoutMs ?? 45_000
  const drainMs = options.drainMs ?? 30_000
  const assignors = options.assignors ?? [cooperativeSticky]
  const settings: GroupSettings = {
    groupId: options.groupId,
    topics: Array.from(new Set(options.topics)),
    assignors,
    isEager: assignors.some((assignor) => !assignor.isCooperative),
    instanceId: options.instanceId ?? null,
    sessionTimeoutMs,
    heartbeatIntervalMs:
      options.heartbeatIntervalMs ?? Math.min(3000, Math.floor(sessionTimeoutMs / 3)),
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? drainMs + 30_000,
    drainMs,
    ...readingOf(options),
  }
  const faults = faultsOf(settings, options.mayBeEmpty === true)
  if (faults.length === 0) return settings
  throw failure('MR_GROUP_OPTIONS_INVALID', { groupId: options.groupId, what: faults.join('; ') })
}

function faultsOf(settings: GroupSettings, mayBeEmpty: boolean): string[] {
  const { sessionTimeoutMs, heartbeatIntervalMs, rebalanceTimeoutMs, drainMs } = settings
  const faults: string[] = []
  if (settings.groupId === '') faults.push('groupId is empty')
  if (settings.topics.length === 0 && !mayBeEmpty) faults.push('topics is empty')
  if (settings.assignors.length === 0) faults.push('assignors is empty')
  if (settings.instanceId === '') faults.push('instanceId is empty')
  if (heartbeatIntervalMs * 3 > sessionTimeoutMs)
    faults.push(
      `heartbeatIntervalMs ${heartbeatIntervalMs} is more than a third of sessionTimeoutMs ${sessionTimeoutMs}`,
    )
  if (drainMs >= rebalanceTimeoutMs)
    faults.push(`drainMs ${drainMs} is not below rebalanceTimeoutMs ${rebalanceTimeoutMs}`)
  return faults
}
