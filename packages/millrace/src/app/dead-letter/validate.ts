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
  if (options.retention !== undefined && parseDuration(options.retention) === undefined)
    faults.push(`${path}.retention: ${options.retention} is not a duration; write 14d`)
  if (
    options.partitions !== undefined &&
    !(Number.isInteger(options.partitions) && options.partitions > 0)
  )
    faults.push(`${path}.partitions: ${options.partitions} is not a number of partitions`)
  if (options.storm) {
    for (const key of ['per', 'pause'] as const) {
      const written = options.storm[key]
      if (written !== undefined && parseDuration(written) === undefined)
        faults.push(`${path}.storm.${key}: ${written} is not a duration; write 1m`)
    }
    if (options.storm.limit !== undefined && !(options.storm.limit > 0))
      faults.push(
        `${path}.storm.limit: ${options.storm.limit} would let nothing through; say storm: false to switch it off`,
      )
  }
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
