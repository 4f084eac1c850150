import type { ConsumerDefinition, ConsumerSettings } from './consumer/define-consumer.ts'
import type { Middleware } from './middleware/middleware.ts'
import type { Runnable } from './ports.ts'
import type { RecurringJob, RecurringSchedule } from './recurring/options.ts'
import type { ResponderSource } from './responder/responder.ts'
import type { Schedule } from './schedule/define-schedule.ts'
import type { AnyTopic } from './topic/define-topic.ts'

export interface AppHooks {
  /** The app passed validation; nothing is connected. */
  readonly initialized?: () => unknown
  /** Before the worker connects: open databases here. */
  readonly beforeStart?: () => unknown
  /** After the consumers have stopped: close databases here. */
  readonly beforeClose?: () => unknown
}

export interface AppOptions {
  /** Topics that no consumer names: those only produced to. Others may be listed as well. */
  readonly topics?: readonly AnyTopic[]
  readonly consumers?: readonly ConsumerDefinition[]
  readonly responders?: readonly ResponderSource[]
  /** For all consumers. */
  readonly defaults?: Omit<ConsumerSettings, 'middleware'>
  /** For the consumers of a group. */
  readonly groups?: Readonly<Record<string, ConsumerSettings>>
  /** Around all handler calls, sends and fetches; outermost first. */
  readonly middleware?: readonly Middleware[]
  readonly hooks?: AppHooks
  /** Started after the groups have joined, stopped before the last commit, and part of the worker's health. */
  readonly runnables?: readonly Runnable[]
  /** Jobs that run at times, in one of the app's workers. */
  readonly recurring?: readonly RecurringJob[] | RecurringSchedule
  /** Messages that are sent later, by the app's workers. */
  readonly schedules?: readonly Schedule[]
}

export interface AppDefinition extends AppOptions {
  readonly kind: 'app'
}

/** Brings topics, consumers and responders together. Faults are found when it starts, all at once. */
export function defineApp(options: AppOptions): AppDefinition {
  return { kind: 'app', ...options }
}
