import type { DiskPartition } from './disk-partition.ts'
import type { RetentionReport } from './log-store.ts'
import { planRetention } from './retention.ts'
import type { Segment } from './segment.ts'

export interface RetainOptions {
  readonly partitions: () => Iterable<DiskPartition>
  readonly nowMs: number
  readonly producersIdleSinceMs: number
  /** Writes what is queued, so that the layout may change. */
  readonly flush: (partition: DiskPartition) => void
  /** False: there is no room for a new segment. */
  readonly roll: (partition: DiskPartition) => boolean
  /** Makes the log starts durable. */
  readonly saveLogStarts: () => Promise<void>
  /** Its files have their last names. */
  readonly removed: (segment: Segment) => void
}

/**
 * Retention over all partitions, in an order that no crash can spoil: snapshots of producers synced, log starts
 * saved, and only then files renamed.
 */
export async function retainLogs(options: RetainOptions): Promise<RetentionReport> {
  const errors: unknown[] = []
  const moved: DiskPartition[] = []
  for (const partition of options.partitions()) {
    try {
      const start = expiredUntil(partition, options)
      if (start === undefined) continue
      // What producers wrote before it lives on in a snapshot alone: that has to be on the disk first.
      await partition.syncWritten()
      if (partition.hasFailed || partition.isDeleted) continue
      partition.moveLogStart(start)
      moved.push(partition)
    } catch (error) {
      errors.push(error) // one unreadable partition must not fill the disk with all others
    }
  }
  if (moved.length > 0) await options.saveLogStarts()

  let [segments, bytes] = [0, 0]
  for (const partition of options.partitions()) {
    if (!partition.hasDeadSegments) continue
    try {
      await partition.syncWritten() // DeleteRecords may have moved the log start without
      for (const segment of partition.removeDeadSegments()) {
        options.removed(segment)
        segments++
        bytes += segment.size
      }
    } catch (error) {
      errors.push(error)
    }
  }
  for (const partition of moved) partition.notify()
  if (errors.length > 0) throw new AggregateError(errors, 'retention failed in some partitions')
  return {
    segments,
    bytes,
    partitions: moved.map(({ topic, index, logStartOffset }) => ({
      topic,
      partition: index,
      logStartOffset,
    })),
  }
}

/** Where the log is to start by its policy, if that is further on. Seals what has expired. */
function expiredUntil(partition: DiskPartition, options: RetainOptions): number | undefined {
  if (partition.hasFailed) return undefined
  partition.expireProducers(options.producersIdleSinceMs)
  const plan = planRetention(partition.segments, partition.configs, options.nowMs)
  if (plan.count === 0) return undefined
  options.flush(partition)
  if (plan.needsRoll && !options.roll(partition)) return undefined
  const start = partition.segments[plan.count]?.baseOffset
  return start === undefined || start <= partition.logStartOffset ? undefined : start
}
