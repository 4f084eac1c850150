import { formatDuration, parseDuration } from '../../kit/index.ts'
import type { Topic } from '../topic/define-topic.ts'
import { parkedTopicName, retryTopicName } from './names.ts'
import type { RetryTopicsOption, RetryTopicsOptions } from './options.ts'

export function retryTopicsOf(
  written: RetryTopicsOption | false | undefined,
): RetryTopicsOptions | undefined {
  if (written === undefined || written === false) return undefined
  return Array.isArray(written)
    ? { delays: written as RetryTopicsOptions['delays'] }
    : (written as RetryTopicsOptions)
}

/** Faults in the retry topics of one consumer, each with its path. */
export function retryTopicFaults(
  options: RetryTopicsOptions,
  topics: readonly Topic[],
  {
    group,
    mode,
    hasOrderBy,
    path,
  }: {
    readonly group: string
    readonly mode: 'each' | 'batch'
    readonly hasOrderBy: boolean
    readonly path: string
  },
): string[] {
  const faults: string[] = []
  const { delays, order, retention } = options
  if (!Array.isArray(delays) || delays.length === 0)
    return [`${path}: there is no delay; write ['30s', '5m', '1h']`]
  const known = new Set<number>()
  for (const [index, written] of options.delays.entries()) {
    const ms = parseDuration(written)
    if (ms === undefined || ms < 1)
      faults.push(`${path}[${index}]: ${written} is not a duration; write 30s, 5m, 1h`)
    else if (known.has(ms))
      faults.push(
        `${path}[${index}]: ${formatDuration(ms)} is there twice, and each delay has one topic`,
      )
    else known.add(ms)
  }
  if (order !== undefined && order !== 'key')
    faults.push(`${path}.order: ${String(order)} is not 'key'`)
  if (order === 'key' && mode === 'batch')
    faults.push(
      `${path}.order: within a batch nobody knows what of a key came after what failed; use each`,
    )
  if (order === 'key' && hasOrderBy)
    faults.push(`${path}.order: keeps the order of keys, which contradicts orderBy`)
  const retentionMs = retention === undefined ? undefined : parseDuration(retention)
  if (retention !== undefined && retentionMs === undefined)
    faults.push(`${path}.retention: ${retention} is not a duration; write 14d`)
  const longest = Math.max(...known)
  if (retentionMs !== undefined && known.size > 0 && retentionMs <= longest)
    faults.push(
      `${path}.retention: ${retention} would take copies before they are due after ${formatDuration(longest)}`,
    )
  for (const topic of topics) {
    const names = [...known].map((ms) => retryTopicName(topic.name, group, ms))
    if (order === 'key') names.push(parkedTopicName(topic.name, group))
    for (const name of names)
      if (topics.some((own) => own.name === name))
        faults.push(`${path}: ${name} is consumed here already; it is made and consumed by itself`)
  }
  return faults
}
