import type { WantedTopic } from './wanted-topics.ts'

/** A topic as the cluster has it. */
export interface FoundTopic {
  readonly name: string
  readonly partitions: number
  readonly replicas: number
  /** By Kafka's names. */
  readonly configs: ReadonlyMap<string, string>
}

/** Where a declaration and the cluster differ. The last two are only told of: nothing here shrinks or moves a topic. */
export type TopicDifference =
  | { readonly kind: 'missing'; readonly topic: string; readonly wanted: WantedTopic }
  | Numbers<'partitions'>
  | {
      readonly kind: 'setting'
      readonly topic: string
      readonly setting: string
      readonly before: string
      readonly after: string
    }
  | Numbers<'fewer-partitions'>
  | Numbers<'replicas'>

interface Numbers<K extends string> {
  readonly kind: K
  readonly topic: string
  readonly before: number
  readonly after: number
}

/** @param found - by the name on the wire */
export function compareTopics(
  wanted: readonly WantedTopic[],
  found: ReadonlyMap<string, FoundTopic>,
): readonly TopicDifference[] {
  return wanted.flatMap((one): readonly TopicDifference[] => {
    const topic = one.name
    const there = found.get(topic)
    if (there === undefined) return [{ kind: 'missing', topic, wanted: one }]
    const partitions = numbers(topic, there.partitions, one.partitions)
    const replicas = numbers(topic, there.replicas, one.replicas)
    return [
      ...partitions.map((pair) => ({
        kind: pair.after > pair.before ? ('partitions' as const) : ('fewer-partitions' as const),
        ...pair,
      })),
      ...settings(topic, one.configs, there.configs),
      ...replicas.map((pair) => ({ kind: 'replicas' as const, ...pair })),
    ]
  })
}

function numbers(
  topic: string,
  before: number,
  after: number | undefined,
): readonly { readonly topic: string; readonly before: number; readonly after: number }[] {
  return after === undefined || after === before ? [] : [{ topic, before, after }]
}

function settings(
  topic: string,
  wanted: WantedTopic['configs'],
  found: FoundTopic['configs'],
): readonly TopicDifference[] {
  return Object.entries(wanted).flatMap(([setting, after]) => {
    const before = found.get(setting) ?? ''
    return isSame(before, after) ? [] : [{ kind: 'setting', topic, setting, before, after }]
  })
}

/** `compact,delete` is `delete, compact`; `1.0` is `1`, as brokers write some numbers. */
function isSame(left: string, right: string): boolean {
  if (left === right) return true
  if (left.trim() !== '' && right.trim() !== '' && Number(left) === Number(right)) return true
  const parts = (text: string): string =>
    text
      .split(',')
      .map((part) => part.trim())
      .toSorted()
      .join()
  return parts(left) === parts(right)
}
