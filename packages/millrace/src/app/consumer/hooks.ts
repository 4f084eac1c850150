import type { Context } from '../context/context.ts'
import type { Messages } from '../message/message.ts'
import type { AnyTopic, Topic } from '../topic/define-topic.ts'

/** What is known of a partition when it arrives. */
export interface Assignment {
  /** Where reading will begin; null when that is still to be looked up. */
  readonly position: number | null
  /** Null when the group never committed here. */
  readonly committed: number | null
  readonly metadata: string
}

/**
 * Around the handler. Only `consume` is retried; a throw elsewhere is reported and stops nothing, except in
 * `assigned`, where it blocks the partition.
 */
export interface Hooks<T extends AnyTopic = Topic> {
  /** The partition was received; before its first fetch. May `seek`. */
  readonly assigned?: (assignment: Assignment, context: Context) => unknown
  /** A poll cycle begins, also one that will find nothing. */
  readonly beforePoll?: (context: Context) => unknown
  readonly afterPoll?: (context: Context) => unknown
  /** Messages are there; the handler has not seen them. */
  readonly afterFetch?: (messages: Messages<T>, context: Context) => unknown
  /** The end of the partition was reached. */
  readonly ended?: (context: Context) => unknown
  /** Nothing came for `idleAfter`; once, until the next message. */
  readonly idle?: (context: Context) => unknown
  /** Every `tickInterval`, also while paused, never beside the handler and not while retrying. */
  readonly tick?: (context: Context) => unknown
  /** The partition goes; `context.owned` is false when it is lost already. Before the last commit. */
  readonly revoked?: (context: Context) => unknown
  /** The worker stops. */
  readonly shutdown?: (context: Context) => unknown
  /** Another name of `shutdown`. */
  readonly beforeStop?: (context: Context) => unknown
}

export type HookName = keyof Hooks
