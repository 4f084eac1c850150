import type { Slots } from '../../kit/index.ts'
import type { AssignmentPlan } from '../assignment/index.ts'
import type { EncodedMessage, SourceMessage } from '../ports.ts'
import type { DeadLetterInfo } from '../dead-letter/options.ts'
import type { StormRules } from '../dead-letter/policy.ts'
import type { LaneRules } from '../lanes/index.ts'
import type { DeliveredMessage, Message } from '../message/message.ts'
import type { Call } from '../middleware/middleware.ts'
import type { Send } from '../produce/sendable.ts'
import type { AnyResponder } from '../responder/responder.ts'
import type { Detour } from '../owner/departures.ts'
import type { Pacing, PacingPlace } from '../pacing/pacing.ts'
import type { RetryTopicsPlan } from '../retry-topics/index.ts'
import type { OnError } from '../retry/options.ts'
import type { RetryRules } from '../retry/policy.ts'
import type { Topic } from '../topic/define-topic.ts'
import type { ConsumerMode, Moment } from './consumer-class.ts'
import type { Start } from './define-consumer.ts'
import type { HookName } from './hooks.ts'

/** What the owner of a partition calls: one for each partition, made by the plan from any of the three forms. */
export interface Handler {
  consume(now: Moment): unknown
  has(hook: HookName): boolean
  hook(hook: HookName, now: Moment, argument?: unknown): unknown
}

export interface DeadLetterPlan {
  /** @param partitions - of the dead letter topic, when known */
  topicFor(message: Message, error: unknown): string
  build(source: SourceMessage, message: Message, info: DeadLetterInfo): EncodedMessage
  readonly storm: StormRules | undefined
  /** Declared ones, to be created in development. */
  readonly declared: readonly CompanionTopic[]
}

/** A topic that stands beside a declared one because a consumer needs it: for dead letters, for retries. */
export interface CompanionTopic {
  readonly topic: string
  readonly source: string
  /** Undefined: as many as the source. */
  readonly partitions: number | undefined
  readonly retentionMs: number
  /** Kafka's settings to create it with. */
  readonly configs: Readonly<Record<string, string>>
}

/** A message whose last attempt in place has failed. */
export interface FailedMessage {
  readonly message: DeliveredMessage
  readonly error: unknown
  readonly attempts: number
  readonly nowMs: number
  readonly firstFailedAtMs: number
}

/** A consumer with every setting resolved: what the worker runs. Made once, at boot. */
export interface ConsumerPlan {
  readonly name: string
  /** For log lines: the class's name, else the consumer's. */
  readonly title: string
  readonly group: string
  readonly groupId: string
  readonly topics: readonly Topic[]
  readonly mode: ConsumerMode
  readonly makeHandler: () => Handler
  /** The middleware of app, group and consumer around a handler. */
  readonly wrap: (handler: Call) => Call
  readonly receive: ((messages: readonly Message[]) => Promise<unknown>) | undefined
  /** The `send` layers of consumer and group around what handlers send; undefined when there are none. */
  readonly sendVia: ((send: Send) => Send) | undefined
  /** Handler calls at once of this consumer, which then take none of the worker's. Undefined: they do. */
  readonly slots: Slots | undefined
  readonly maxMessages: number
  readonly maxWaitMs: number
  readonly fillsBySize: boolean
  readonly timeoutMs: number | undefined
  readonly slowAfterMs: number | undefined
  readonly isLongRunning: boolean
  /** Of size 1: the whole partition in order. */
  readonly lanes: LaneRules
  readonly idleAfterMs: number
  readonly tickIntervalMs: number
  readonly offsets: 'automatic' | 'manual'
  readonly commitIntervalMs: number
  readonly commitEvery: number
  readonly retry: RetryRules
  readonly onError: OnError | undefined
  readonly deadLetter: DeadLetterPlan | undefined
  /** Delay, filter, throttle, expiry: one for each partition and tenure. */
  readonly makePacing?: ((place: PacingPlace) => Pacing) | undefined
  /**
   * Asked once the retries in place are exhausted, before the dead letter topic; undefined: no way round. What will
   * fail again anyway (non-retryable, undecodable) is not asked about.
   */
  readonly detour?: ((failed: FailedMessage) => Detour | undefined) | undefined
  /** Those are among `topics` already. */
  readonly retryTopics: RetryTopicsPlan | undefined
  /** Undefined for one that joins its group. */
  readonly assignment: AssignmentPlan | undefined
  readonly responder: AnyResponder | undefined
  readonly start: Start
  readonly outOfRange: 'earliest' | 'latest' | 'fail'
  readonly isolation: 'read_committed' | 'read_uncommitted'
}
