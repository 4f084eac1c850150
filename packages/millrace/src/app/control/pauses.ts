import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A pause from outside, kept over restarts: a topic, or one partition of it, of one group or of all. */
export interface KeptPause {
  readonly topic: string
  /** Undefined: all of the topic. */
  readonly partition?: number
  /** Declared name; undefined: every group. */
  readonly group?: string
}

const fileName = 'pauses.json'

/** Nothing for a file that is not there or that was cut short. */
export async function readPauses(dataFolder: string): Promise<readonly KeptPause[]> {
  const text = await readFile(join(dataFolder, fileName), 'utf8').catch(() => '[]')
  try {
    const parsed = JSON.parse(text) as unknown
    return Array.isArray(parsed) ? parsed.filter(isPause) : []
  } catch {
    return []
  }
}

export async function writePauses(dataFolder: string, pauses: readonly KeptPause[]): Promise<void> {
  await mkdir(dataFolder, { recursive: true })
  const path = join(dataFolder, fileName)
  await writeFile(`${path}.new`, `${JSON.stringify(pauses, null, 2)}\n`)
  await rename(`${path}.new`, path)
}

function isPause(value: unknown): value is KeptPause {
  if (typeof value !== 'object' || value === null) return false
  const { topic, partition, group } = value as Partial<Record<keyof KeptPause, unknown>>
  return (
    typeof topic === 'string' &&
    (partition === undefined || Number.isInteger(partition)) &&
    (group === undefined || typeof group === 'string')
  )
}

export function addPause(pauses: readonly KeptPause[], one: KeptPause): readonly KeptPause[] {
  return pauses.some((other) => isSamePlace(other, one)) ? pauses : [...pauses, one]
}

/**
 * Without what covers `one` or lies in it: whoever resumes a topic means all of its partitions, and whoever resumes one
 * partition of a topic that is paused as a whole resumes the topic.
 */
export function removePause(pauses: readonly KeptPause[], one: KeptPause): readonly KeptPause[] {
  return pauses.filter((other) => !overlaps(other, one))
}

export function isPaused(
  pauses: readonly KeptPause[],
  place: { readonly topic: string; readonly partition: number; readonly group: string },
): boolean {
  return pauses.some((pause) => overlaps(pause, place))
}

function isSamePlace(left: KeptPause, right: KeptPause): boolean {
  return (
    left.topic === right.topic && left.partition === right.partition && left.group === right.group
  )
}

function overlaps(left: KeptPause, right: KeptPause): boolean {
  const meets = <T>(one: T | undefined, other: T | undefined): boolean =>
    one === undefined || other === undefined || one === other
  return (
    left.topic === right.topic &&
    meets(left.partition, right.partition) &&
    meets(left.group, right.group)
  )
}
