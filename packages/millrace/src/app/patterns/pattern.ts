import {
  defineTopic,
  type Topic,
  type TopicOptions,
  type ValueSpec,
} from '../topic/define-topic.ts'
import type { Codec } from '../topic/codec.ts'

/** What a topic's name gave to the groups of its pattern: `ctx.match.groups?.level`. */
export type TopicMatch = RegExpExecArray

/**
 * Every topic whose name matches, those that come later too: the worker looks every `patterns.interval`. The `name` is
 * that of the pattern, for the consumer and its group; `message.topic` is the topic's own, `ctx.match` what the groups
 * took. Never matches dead letter topics of its own.
 *
 * @example
 * const audit = pattern('audit', /^audit\.(?<level>\w+)$/)
 * defineConsumer({ topic: audit, each: ({ value }, { match }) => console.log(match?.groups?.['level'], value) })
 */
export function pattern<
  V extends ValueSpec = Codec,
  K extends Codec<never, unknown> = Codec<string>,
  const Tombstones extends boolean = false,
>(
  name: string,
  matching: RegExp,
  options: TopicOptions<V, K & Codec, Tombstones, never> = {},
): ReturnType<typeof defineTopic<string, V, K, Tombstones>> {
  const topic = defineTopic(name, options as object)
  return Object.assign(topic, { pattern: matching }) as unknown as ReturnType<
    typeof defineTopic<string, V, K, Tombstones>
  >
}

export function isPattern(topic: Topic): boolean {
  return topic.pattern !== undefined
}

/** The topic that a pattern has found: its codecs, its own name. */
export function routeOf(source: Topic, name: string, match: TopicMatch): Topic {
  return Object.assign(defineTopic(name, source.options as object) as Topic, { match })
}
