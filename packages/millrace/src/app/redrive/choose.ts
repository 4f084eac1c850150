import { createHash } from 'node:crypto'

import { headerText } from '../dead-letter/headers.ts'
import type { Letter, RawLetter } from './letter.ts'
import type { LetterChoice, RedriveOptions } from './options.ts'

/** Whether a letter is among the chosen. Pure. */
export function isChosen(raw: RawLetter, letter: Letter, choice: LetterChoice): boolean {
  const { partitions, offsets, time, error, reason, group, key, headers } = choice
  if (partitions !== undefined && !partitions.includes(raw.partition)) return false
  if (offsets?.from !== undefined && raw.offset < offsets.from) return false
  if (offsets?.to !== undefined && raw.offset > offsets.to) return false
  if (time?.from !== undefined && raw.timestamp < time.from.getTime()) return false
  if (time?.before !== undefined && raw.timestamp >= time.before.getTime()) return false
  if (error !== undefined && letter.errorCode !== error && letter.errorClass !== error) return false
  if (reason !== undefined && letter.reason !== reason) return false
  if (group !== undefined && letter.group !== group) return false
  if (key !== undefined && letter.key !== key) return false
  for (const [name, value] of Object.entries(headers ?? {}))
    if (headerText(raw.headers, name) !== value) return false
  return true
}

/** What a letter is counted under. */
export function errorOf({ errorCode, errorClass, reason }: Letter): string {
  return errorCode ?? errorClass ?? reason ?? 'unknown'
}

/**
 * The group that keeps the progress of a job. The same choice is the same job, whoever runs it; another choice begins at the
 * start of the topic.
 */
export function jobGroup({ from, to, where = {}, onlyGroup = true, job }: RedriveOptions): string {
  if (job !== undefined) return `millrace-redrive-${from}-${job}`
  const facts = JSON.stringify([to ?? null, onlyGroup, sorted(where)])
  return `millrace-redrive-${from}-${createHash('sha256').update(facts).digest('hex').slice(0, 8)}`
}

/** The same text whichever order the properties were written in. */
function sorted(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, own]) => own !== undefined)
  entries.sort(([left], [right]) => (left < right ? -1 : 1))
  return entries.map(([name, own]) => [name, sorted(own)])
}
