import { parseDuration } from '../../kit/index.ts'
import type { Topic } from '../topic/define-topic.ts'
import type { DeadLetterOptions } from './options.ts'

/** Faults in the dead letter options of one consumer, each with its path. */
export function deadLetterFaults(
  options: DeadLetterOptions,
  topics: readonly Topic[],
  path: string,
): string[] {
  const faults: string[] = []
  for (const topic of topics) {
    if (staticDeadLetterTopic(options, topic) === topic.name)
      faults.push(`${path}.topic: ${topic.name} would be its own dead letter topic`)
  }
  const { retries, key, compacted } = options
  if (
    retries !== undefined &&
    !(retries === Infinity || (Number.isInteger(retries) && retries >= 0))
  )
    faults.push(`${path}.retries: ${retries} is neither a number of retries nor Infinity`)
  if (key !== undefined && key !== 'same' && key !== 'unique')
    faults.push(`${path}.key: ${String(key)} is neither 'same' nor 'unique'`)
  if (compacted === true && key !== 'unique')
    faults.push(
      `${path}.compacted: only the newest letter of each key would stay; say key: 'unique' as well`,
    )
  if (compacted === true && options.retention !== undefined)
    faults.push(`${path}.retention: contradicts compacted, which keeps letters without a time`)
  if (options.retention !== undefined && parseDuration(options.retention) === undefined)
    faults.push(`${path}.retention: ${options.retention} is not a duration; write 14d`)
  if (
    options.partitions !== undefined &&
    !(Number.isInteger(options.partitions) && options.partitions > 0)
  )
    faults.push(`${path}.partitions: ${options.partitions} is not a number of partitions`)
  if (options.storm) {
    for (const part of ['per', 'pause'] as const) {
      const written = options.storm[part]
      if (written !== undefined && parseDuration(written) === undefined)
        faults.push(`${path}.storm.${part}: ${written} is not a duration; write 1m`)
    }
    if (options.storm.limit !== undefined && !(options.storm.limit > 0))
      faults.push(
        `${path}.storm.limit: ${options.storm.limit} would let nothing through; say storm: false to switch it off`,
      )
  }
  return faults
}

/**
 * Dead letter topics that lead back to where their messages came from: a message that fails everywhere would go round for
 * ever. Over all consumers of an app.
 */
export function deadLetterCycleFaults(
  consumers: readonly {
    readonly name: string
    readonly letters: readonly { readonly topic: string; readonly source: string }[]
  }[],
): string[] {
  const next = new Map<string, { readonly to: string; readonly by: string }[]>()
  for (const { name, letters } of consumers)
    for (const { topic, source } of letters) {
      const known = next.get(source) ?? []
      known.push({ to: topic, by: name })
      next.set(source, known)
    }
  const faults: string[] = []
  const done = new Set<string>()
  const walk = (topic: string, path: readonly string[]): void => {
    for (const { to, by } of next.get(topic) ?? []) {
      const start = path.indexOf(to)
      // A topic that is its own has a fault of its own.
      if (start >= 0 && path.length - start > 1)
        faults.push(
          `consumers.${by}.deadLetter.topic: dead letters would go round: ${[...path.slice(start), to].join(' -> ')}`,
        )
      if (start < 0 && !done.has(to)) walk(to, [...path, to])
    }
    done.add(topic)
  }
  for (const topic of next.keys()) if (!done.has(topic)) walk(topic, [topic])
  return faults
}

/** The dead letter topic of a source, unless a function decides for each message. */
export function staticDeadLetterTopic(
  options: DeadLetterOptions,
  source: Topic,
): string | undefined {
  if (options.topic === undefined) return `${source.name}-dlt`
  if (typeof options.topic === 'string') return options.topic
  return typeof options.topic === 'function' ? undefined : options.topic.name
}
