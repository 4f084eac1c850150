import { parseDuration, type Duration } from '../../kit/index.ts'
import type { CompanionTopic, FailedMessage } from '../consumer/plan.ts'
import { headerNames, headerNumber } from '../dead-letter/headers.ts'
import { isRetryCopy } from '../dead-letter/policy.ts'
import type { Detour } from '../owner/departures.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { EncodedMessage, SourceMessage } from '../ports.ts'
import { defineTopic, type Topic } from '../topic/define-topic.ts'
import { retryCopyOf } from './copy.ts'
import { KeyOrder, type Move } from './key-order.ts'
import { parkedTopicName, retryTopicName } from './names.ts'
import { retryTopicDefaults, type RetryTopicsOptions } from './options.ts'

/** The feature object of a consumer with retry topics. */
export interface RetryTopicsPlan {
  /** Consumed beside the declared ones, by the same group and handler. */
  readonly topics: readonly Topic[]
  /** To be created: the retry topics, and with `order: 'key'` where what is parked is kept. */
  readonly declared: readonly CompanionTopic[]
  readonly isRetryTopic: (topic: string) => boolean
  readonly detour: (failed: FailedMessage) => Detour | undefined
  /** With `order: 'key'` alone: stands around the pacing of every partition, and has to be connected before the first. */
  readonly keyOrder: KeyOrder | undefined
}

interface RetryTier {
  readonly delayMs: number
  readonly nameFor: (source: string) => string
}

export interface RetrySurroundings {
  readonly group: string
  readonly groupId: string
  readonly wireName: (name: string) => string
}

export function planRetryTopics(
  options: RetryTopicsOptions,
  sources: readonly Topic[],
  { group, groupId, wireName }: RetrySurroundings,
): RetryTopicsPlan {
  // Faults of the options were found already, but the plan is made all the same.
  const written: readonly Duration[] = Array.isArray(options.delays) ? options.delays : []
  const delays = written.map((delay) => parseDuration(delay) ?? 0)
  const retentionMs = parseDuration(options.retention ?? retryTopicDefaults.retention) ?? 0
  const tiers = delays.map((delayMs): RetryTier => ({
    delayMs,
    nameFor: (source) => retryTopicName(source, group, delayMs),
  }))
  const topics = sources.flatMap((source) =>
    tiers.map(({ nameFor }) => retryTopic(source, nameFor(source.name))),
  )
  const tierByName = new Map(
    sources.flatMap(({ name }) => tiers.map(({ nameFor }, tier) => [nameFor(name), tier] as const)),
  )
  const topicOf = (source: string, tier: number): string => tiers[tier]?.nameFor(source) ?? source
  const copy = (message: DeliveredMessage, move: Move, parkedAt?: number): EncodedMessage =>
    retryCopyOf(message.source, {
      ...move,
      topic: wireName(topicOf(message.topic, move.tier)),
      groupId,
      parkedAt,
    })
  const keyOrder =
    options.order === 'key'
      ? new KeyOrder({
          group,
          groupId,
          retentionMs,
          copy,
          topicOf,
          parkedTopicOf: (source) => wireName(parkedTopicName(source, group)),
          delayMsOf: (tier) => tiers[tier]?.delayMs ?? 0,
          tierOfTopic: (topic) => tierByName.get(topic),
        })
      : undefined

  return {
    topics,
    declared: sources.flatMap((source) =>
      companions(source, { tiers, retentionMs, group, options }),
    ),
    isRetryTopic: (topic) => tierByName.has(topic),
    keyOrder,
    detour({ message, error, attempts, nowMs, firstFailedAtMs }) {
      const tier = triesOf(message.source)
      const delayMs = tiers[tier]?.delayMs
      if (delayMs === undefined) return undefined
      const dueMs = nowMs + delayMs
      const move: Move = { tier, dueMs, tries: tier + 1, attempts, firstFailedAtMs, error }
      return (
        keyOrder?.detour(message, move) ?? {
          topic: topicOf(message.topic, tier),
          nextTryAtMs: dueMs,
          encoded: copy(message, move),
        }
      )
    },
  }
}

/** How many retry topics a message has been tried in. */
function triesOf(source: SourceMessage): number {
  return isRetryCopy(source) ? (headerNumber(source.headers, headerNames.retryTries) ?? 0) : 0
}

/** With the codecs of its source, under whose name handlers see its messages. */
function retryTopic(source: Topic, name: string): Topic {
  const topic: Topic = defineTopic(name, source.options as object)
  return Object.assign(topic, { shownAs: source.name })
}

function companions(
  source: Topic,
  around: {
    readonly tiers: readonly RetryTier[]
    readonly retentionMs: number
    readonly group: string
    readonly options: RetryTopicsOptions
  },
): readonly CompanionTopic[] {
  const { tiers, retentionMs, group, options } = around
  const beside = {
    source: source.name,
    // Copies keep the number of their partition.
    partitions: source.options.partitions,
    retentionMs,
  }
  const retries = tiers.map(({ nameFor }) => ({
    ...beside,
    topic: nameFor(source.name),
    configs: { 'retention.ms': String(retentionMs) },
  }))
  if (options.order !== 'key') return retries
  const parked = {
    ...beside,
    topic: parkedTopicName(source.name, group),
    configs: { 'cleanup.policy': 'compact' },
  }
  return [...retries, parked]
}
