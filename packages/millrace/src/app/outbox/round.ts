import { isFailure } from '../../errors/index.ts'
import type { Lease, StoredRow } from './store.ts'

/** What became of the rows of a round. */
export interface RoundVerdict {
  /** Acknowledged, and nothing of their key before them is open: to be deleted. */
  readonly done: readonly StoredRow[]
  /** Refused for good. */
  readonly refused: readonly { readonly row: StoredRow; readonly error: unknown }[]
  /** The first error after which everything open is sent again. */
  readonly retryAfter: unknown
}

/**
 * Judges a round; `errors` are in the order of `rows`, undefined for an acknowledgement.
 *
 * A row acknowledged behind an open one of its key stays: then both come again, in order, and the last that readers
 * see of the key is the newest. Deleted, the older one would come last.
 */
export function judgeRound(rows: readonly StoredRow[], errors: readonly unknown[]): RoundVerdict {
  if (errors.every((error) => error === undefined))
    return { done: rows, refused: [], retryAfter: undefined }
  const done: StoredRow[] = []
  const refused: { readonly row: StoredRow; readonly error: unknown }[] = []
  const openKeys = new Set<string>()
  let retryAfter: unknown
  for (const [index, row] of rows.entries()) {
    const error = errors[index]
    const key = row.key === null ? undefined : `${row.topic} ${row.key.toString('latin1')}`
    if (error === undefined) {
      if (key === undefined || !openKeys.has(key)) done.push(row)
    } else if (isRefusal(error)) {
      refused.push({ row, error })
    } else {
      retryAfter ??= error
      if (key !== undefined) openKeys.add(key)
    }
  }
  return { done, refused, retryAfter }
}

/** MESSAGE_TOO_LARGE, INVALID_TOPIC_EXCEPTION, RECORD_LIST_TOO_LARGE, INVALID_TIMESTAMP, INVALID_RECORD */
const refusingCodes: ReadonlySet<unknown> = new Set([10, 17, 18, 32, 87])

/** Whether the message itself is at fault, so that it would be refused again. Rights and brokers may come back. */
export function isRefusal(error: unknown): boolean {
  if (!isFailure(error)) return false
  if (isFailure(error, 'MR_KAFKA_ERROR')) return refusingCodes.has(error.context['errorCode'])
  return isFailure(
    error,
    'MR_PRODUCER_MESSAGE_TOO_LARGE',
    'MR_PRODUCER_MESSAGE_INVALID',
    'MR_PARTITION_UNKNOWN',
    'MR_TOPIC_UNKNOWN',
  )
}

/** What a shard that had little last time may still give, so that a late one is not overlooked. */
const leastOfAShard = 16

/** How many rows to read of each shard, so that a round holds about `round` rows and no shard starves another. */
export function shareRound(
  leases: readonly Lease[],
  round: number,
  fullShards: ReadonlySet<number>,
): readonly { readonly shard: number; readonly limit: number }[] {
  const full = leases.filter(({ shard }) => fullShards.has(shard)).length
  if (full === 0) {
    const limit = Math.max(1, Math.ceil(round / Math.max(1, leases.length)))
    return leases.map(({ shard }) => ({ shard, limit }))
  }
  const least = Math.min(leastOfAShard, Math.ceil(round / leases.length))
  const limit = Math.max(least, Math.floor((round - least * (leases.length - full)) / full))
  return leases.map(({ shard }) => ({ shard, limit: fullShards.has(shard) ? limit : least }))
}
