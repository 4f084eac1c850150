import { failure } from '../errors/index.ts'
import { parseNumbers } from './parse-numbers.ts'

/** Partitions of a topic; undefined means all. */
export interface Place {
  readonly topic: string
  readonly partitions: ReadonlySet<number> | undefined
}

/** `orders`, `orders:3`, `orders:0,3-5`. @throws MR_CLI_USAGE */
export function parsePlace(word: string): Place {
  const [, topic, numbers] = /^([^:]+)(?::(.+))?$/.exec(word) ?? []
  if (topic === undefined)
    throw failure('MR_CLI_USAGE', { reason: `${word} is neither a topic nor topic:partitions` })
  const partitions = numbers === undefined ? undefined : parseNumbers(`${topic}:`, [numbers])
  return { topic, partitions }
}
