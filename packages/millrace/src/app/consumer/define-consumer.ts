import type { Duration } from '../../kit/index.ts'
import type { AssignmentSettings } from '../assignment/index.ts'
import type { Context } from '../context/context.ts'
import type { DeadLetterOptions } from '../dead-letter/options.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { LaneOptions, OrderScope } from '../lanes/index.ts'
import type { Message, Messages } from '../message/message.ts'
import type { Middleware } from '../middleware/middleware.ts'
import { responderOf, type AnyResponder, type ResponderSource } from '../responder/responder.ts'
import type { FilterContext, PacingOptions } from '../pacing/options.ts'
import type { RetryTopicsOption } from '../retry-topics/options.ts'
import type { ErrorContext, RetryOptions } from '../retry/options.ts'
import type { AnyTopic, Topic } from '../topic/define-topic.ts'
import type { AnyOn, OnEvents } from './by-event.ts'
import type { ThreadOptions } from '../threads/options.ts'
import type { Consumer, ConsumerMode } from './consumer-class.ts'
import type { Hooks } from './hooks.ts'

/** Where a group begins in a partition without a committed offset. */
export type Start = 'earliest' | 'latest' | 'fail' | Date | `-${string}`

/** Settings that a consumer, its group, or the whole app may give; the nearest wins. */
export interface ConsumerSettings
  extends RetryOptions, PacingOptions, LaneOptions, AssignmentSettings {
  /** Most messages of a batch. Default 100. */
  readonly maxMessages?: number
  /** How long a batch waits for more after its first message, and how long a poll cycle waits for any. Default `'1s'`. */
  readonly maxWait?: Duration
  /** `'size'`: wait for a full batch also at the end of the partition. */
  readonly fill?: 'size'
  /** Longest attempt: then `signal` aborts and the attempt has failed. Default off. */
  readonly timeout?: Duration | false
  /** A handler that runs longer is warned about, and liveness fails. Default `'5m'`, off with `longRunning`. */
  readonly slowAfter?: Duration | false
  /**
   * For handlers that take minutes: `signal` aborts as soon as the partition is revoked, instead of at the end of
   * `rebalance.drain`, so that the group does not wait for them. Default false.
   */
  readonly longRunning?: boolean
  /** `'manual'`: only `ctx.mark` counts. Default `'automatic'`. */
  readonly offsets?: 'automatic' | 'manual'
  /** Every so often, and after so many marks (0 = off). Default `{ interval: '5s', every: 0 }`. */
  readonly commit?: { readonly interval?: Duration; readonly every?: number }
  /** Default `'earliest'`. */
  readonly start?: Start
  /** What to do when retention has overtaken the group. Default `'earliest'`, reported as lost messages. */
  readonly outOfRange?: 'earliest' | 'latest' | 'fail'
  /** Default `'read_committed'`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  readonly deadLetter?: boolean | DeadLetterOptions
  /** `['30s', '5m', '1h']`: a failing message waits in topics of its own instead of holding its partition. Default off. */
  readonly retryTopics?: RetryTopicsOption | false
  readonly middleware?: readonly Middleware[]
  /** Default `'30s'`. */
  readonly idleAfter?: Duration
  /** Default `'5s'`. */
  readonly tickInterval?: Duration
}

/** One topic, or several whose messages are told apart by `message.topic`. */
export type TopicSpec = AnyTopic | readonly AnyTopic[]

export type TopicOf<T extends TopicSpec> = T extends readonly (infer U extends AnyTopic)[]
  ? U
  : T extends AnyTopic
    ? T
    : never
/** Distributes, so that a list of topics gives a union which `message.topic` narrows. */
export type MessageOf<T> = T extends AnyTopic ? Message<T> : never

export type EachHandler<T extends TopicSpec, Tx = undefined> = (
  message: MessageOf<TopicOf<T>>,
  context: Context<Record<string, unknown>, Tx>,
) => unknown
export type BatchHandler<T extends TopicSpec, Tx = undefined> = (
  messages: Messages<TopicOf<T>>,
  context: Context<Record<string, unknown>, Tx>,
) => unknown

export type ConsumerClass<
  T extends AnyTopic = AnyTopic,
  M extends ConsumerMode = ConsumerMode,
> = new () => Consumer<T, M, unknown>

interface InThisThread {
  readonly runIn?: never
  readonly handler?: never
  readonly threads?: never
  readonly threadMemory?: never
}

/** Exactly one of the five. */
export type ConsumerForm<T extends TopicSpec, Tx = undefined> =
  | (InThisThread & FormInThisThread<T, Tx>)
  | (ThreadOptions & {
      readonly runIn: 'thread'
      /** Of the module's handler: `batch` there is `'batch'` here. Default `'each'`. */
      readonly mode?: ConsumerMode
      readonly each?: never
      readonly batch?: never
      readonly on?: never
      readonly use?: never
    })

type FormInThisThread<T extends TopicSpec, Tx> =
  | {
      readonly each: EachHandler<T, Tx>
      readonly batch?: never
      readonly on?: never
      readonly use?: never
      readonly mode?: never
    }
  | {
      readonly on: OnEvents<TopicOf<T>, Context<Record<string, unknown>, Tx>>
      readonly each?: never
      readonly batch?: never
      readonly use?: never
      readonly mode?: never
    }
  | {
      readonly batch: BatchHandler<T, Tx>
      readonly each?: never
      readonly on?: never
      readonly use?: never
      readonly mode?: never
    }
  | {
      readonly use: ConsumerClass<NoInfer<TopicOf<T>>, 'each'>
      readonly mode?: 'each'
      readonly each?: never
      readonly batch?: never
      readonly on?: never
    }
  | {
      readonly use: ConsumerClass<NoInfer<TopicOf<T>>, 'batch'>
      readonly mode: 'batch'
      readonly each?: never
      readonly batch?: never
      readonly on?: never
    }

export interface ConsumerOptions<T extends TopicSpec, Tx = undefined> extends Omit<
  ConsumerSettings,
  'filter' | 'orderBy' | 'onError' | 'middleware'
> {
  readonly topic: T
  /** Around handler calls, fetches and what handlers send; inside of the group's and the app's. */
  readonly middleware?: readonly Middleware<NoInfer<TopicOf<T>>>[]
  /**
   * With `concurrency` above 1, which messages must follow each other: those for which it returns the same. Default:
   * the bytes of the key. A message without a key, and one for which it returns null, has no order; `null` instead of a
   * function: none has. When it throws or returns undefined, the message joins one common scope, in order with all such.
   */
  readonly orderBy?: ((message: MessageOf<TopicOf<T>>) => OrderScope) | null
  /**
   * Decides about each error of a handler, before the lists: an outcome (`retry`, `skip`, `deadLetter`, `stop`) is
   * followed, anything else leaves the error to `nonRetryable`, `critical` and `retries`. Attempts count all the same.
   * May be asynchronous: the message waits for it.
   */
  readonly onError?: (
    error: unknown,
    about: Omit<ErrorContext, 'message'> & { readonly message: MessageOf<TopicOf<T>> },
  ) => unknown
  /**
   * Makes the consumer idempotent: the handler runs in a transaction of your database, `ctx.tx`, which also remembers the
   * message; one that is known is finished without the handler. Default none.
   */
  readonly inbox?: Inbox<Tx>
  /**
   * Messages for which it returns false are finished without the handler, counted and published. Synchronous. A throw is a
   * failed attempt of the message. Default: every message passes.
   */
  readonly filter?: (message: MessageOf<TopicOf<T>>, context: FilterContext) => boolean
  /** Default: the class's name in kebab case without `Consumer`, else the topic's. */
  readonly name?: string
  /** Default: the name. Kafka's group id is `<clientId>_<group>`. */
  readonly group?: string
  readonly hooks?: Hooks<TopicOf<T>>
  /** For `ctx.respondWith`. Classes find theirs by name among the app's responders. */
  readonly responder?: ResponderSource
}

/** A declared consumer. Faults are found when the app starts, all at once. */
export interface ConsumerDefinition {
  readonly kind: 'consumer'
  readonly name: string
  readonly group: string
  readonly topics: readonly Topic[]
  readonly mode: ConsumerMode
  readonly each: ((message: Message, context: Context) => unknown) | undefined
  readonly batch: ((messages: Messages, context: Context) => unknown) | undefined
  readonly on: AnyOn | undefined
  readonly use: ConsumerClass | undefined
  /** The handler is a module that runs in threads. */
  readonly thread: (ThreadOptions & { readonly runIn: unknown }) | undefined
  readonly inbox: Inbox | undefined
  readonly settings: ConsumerSettings
  readonly hooks: Hooks
  readonly responder: AnyResponder | undefined
}

/**
 * Declares what handles the messages of a topic: exactly one of `each` (one at a time, in order), `on` (the
 * same, with a handler for each event type), `batch`, `use` (a class), or `handler` with
 * `runIn: 'thread'` (a module in worker threads). Nothing is touched before the worker starts.
 *
 * @example
 * const mail = defineConsumer({
 *   topic: users,
 *   group: 'mail',
 *   retries: 5,
 *   deadLetter: true,
 *   async each({ value }, { signal }) { await sendMail(value, { signal }) },
 * })
 */
export function defineConsumer<const T extends TopicSpec, Tx = undefined>(
  options: ConsumerOptions<T, Tx> & ConsumerForm<T, Tx>,
): ConsumerDefinition {
  const { topic, name, group, hooks, responder, each, batch, on, use, mode, inbox, ...rest } =
    options
  const { runIn, handler, threads, threadMemory, ...settings } = rest as Partial<ThreadOptions> & {
    readonly runIn?: unknown
  }
  const topics = (Array.isArray(topic) ? topic : [topic]) as readonly Topic[]
  const ownName = name ?? (use === undefined ? topics[0]?.name : kebabName(use.name)) ?? ''
  return {
    kind: 'consumer',
    name: ownName,
    group: group ?? ownName,
    topics,
    mode: batch === undefined ? (mode ?? 'each') : 'batch',
    each: each as ConsumerDefinition['each'],
    batch: batch as ConsumerDefinition['batch'],
    on,
    use,
    thread:
      handler === undefined && runIn === undefined
        ? undefined
        : {
            runIn,
            handler: handler ?? '',
            ...(threads === undefined ? {} : { threads }),
            ...(threadMemory === undefined ? {} : { threadMemory }),
          },
    inbox,
    settings,
    hooks: hooks ?? {},
    responder: responder && responderOf(responder),
  }
}

/** `PriceDropsConsumer` is `price-drops`. */
export function kebabName(className: string): string {
  return className
    .replace(/(Consumer|Responder)$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
}
