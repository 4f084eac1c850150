import type { CleanPartition } from './open-partition.ts'

export const cleanFileName = 'clean'
export const recoveryPointsFileName = 'recovery-points'

/** By topic id and index, so that what was said of a deleted topic is never taken for its successor's. */
export function partitionKey(topicId: string, index: number): string {
  return `${topicId}-${index}`
}

export interface RecoveryPoint {
  readonly recoveryPoint: number
  readonly logStartOffset: number
}

/** Text in the manner of Kafka's checkpoints: version, number of lines, then key, recovery point, log start. */
export function encodeRecoveryPoints(points: ReadonlyMap<string, RecoveryPoint>): Buffer {
  const lines = ['0', String(points.size)]
  for (const [key, { recoveryPoint, logStartOffset }] of points)
    lines.push(`${key} ${recoveryPoint} ${logStartOffset}`)
  return Buffer.from(`${lines.join('\n')}\n`)
}

/** Unreadable lines count as missing: then everything of that partition is checked. */
export function decodeRecoveryPoints(bytes: Buffer | undefined): Map<string, RecoveryPoint> {
  const points = new Map<string, RecoveryPoint>()
  for (const line of bytes?.toString('latin1').split('\n').slice(2) ?? []) {
    const [key, recoveryPoint, logStartOffset] = line.split(' ')
    const point = { recoveryPoint: Number(recoveryPoint), logStartOffset: Number(logStartOffset) }
    if (key && isOffset(point.recoveryPoint) && isOffset(point.logStartOffset))
      points.set(key, point)
  }
  return points
}

export function encodeClean(partitions: ReadonlyMap<string, CleanPartition>): Buffer {
  return Buffer.from(`${JSON.stringify({ partitions: Object.fromEntries(partitions) })}\n`)
}

/** Written last, so it is whole or missing; anything else counts as missing. */
export function decodeClean(bytes: Buffer | undefined): ReadonlyMap<string, CleanPartition> {
  const clean = new Map<string, CleanPartition>()
  if (!bytes) return clean
  let value: { partitions?: Record<string, CleanPartition> }
  try {
    value = JSON.parse(bytes.toString('utf8')) as typeof value
  } catch {
    return clean
  }
  for (const [key, one] of Object.entries(value?.partitions ?? {})) {
    const isWhole =
      isOffset(one.base) && isOffset(one.size) && isOffset(one.end) && isOffset(one.start)
    if (isWhole && Number.isFinite(one.maxTimestamp)) clean.set(key, one)
  }
  return clean
}

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
