import { failure } from '../../errors/index.ts'
import { parseDuration } from '../../kit/index.ts'
import type { DeadLetterPlan } from '../consumer/plan.ts'
import type { Message } from '../message/message.ts'
import type { EncodedMessage, SourceMessage } from '../ports.ts'
import type { Topic } from '../topic/define-topic.ts'
import { deadLetterDefaults, type DeadLetterInfo, type DeadLetterOptions } from './options.ts'
import { deadLetterOf } from './policy.ts'
import { staticDeadLetterTopic } from './validate.ts'

/** The feature object of a consumer with a dead letter topic: options that have passed validation. */
export function planDeadLetters(
  options: DeadLetterOptions,
  topics: readonly Topic[],
  wireName: (name: string) => string,
): DeadLetterPlan {
  const byName = new Map(topics.map((topic) => [topic.name, topic]))
  const topicFor = (message: Message, error: unknown): string => {
    if (typeof options.topic === 'function') {
      const topic = options.topic(message, error)
      // The check at start cannot see what a function answers.
      if (topic === message.topic) throw failure('MR_APP_DEAD_LETTER_OWN', { topic })
      return topic
    }
    const source = byName.get(message.topic)
    return (source && staticDeadLetterTopic(options, source)) ?? `${message.topic}-dlt`
  }
  const { limit, per, pause } = {
    ...deadLetterDefaults.storm,
    ...(options.storm === false ? undefined : options.storm),
  }

  return {
    topicFor,
    storm:
      options.storm === false
        ? undefined
        : { limit, perMs: ms(per, '1m'), pauseMs: ms(pause, '5m') },
    build(source: SourceMessage, message: Message, info: DeadLetterInfo): EncodedMessage {
      return deadLetterOf(source, info, {
        topic: wireName(topicFor(message, info.error)),
        partition:
          (options.partition ?? deadLetterDefaults.partition) === 'same'
            ? source.partition
            : undefined,
        headers: options.headers ?? deadLetterDefaults.headers,
        key: options.key ?? deadLetterDefaults.key,
        withStack: options.stack ?? deadLetterDefaults.stack,
        more: options.enhance?.(message, info) ?? {},
      })
    },
    declared: topics.flatMap((source) => {
      const topic = staticDeadLetterTopic(options, source)
      if (topic === undefined) return []
      const partitions = options.partitions ?? source.options.partitions
      const retentionMs = ms(options.retention, deadLetterDefaults.retention)
      const configs: Readonly<Record<string, string>> =
        options.compacted === true
          ? { 'cleanup.policy': 'compact' }
          : { 'retention.ms': String(retentionMs) }
      return [{ topic, source: source.name, partitions, retentionMs, configs }]
    }),
  }
}

function ms(written: string | number | undefined, otherwise: string): number {
  return parseDuration(written ?? otherwise) ?? 0
}

export type { DeadLetterExtras, DeadLetterInfo, DeadLetterOptions } from './options.ts'
export { deadLetterTopic } from './dead-letter-topic.ts'
export { lettersOfApp, rawIfUndeclared } from './letters-of-app.ts'
export { deadLetterCycleFaults, deadLetterFaults } from './validate.ts'
