import type { AsyncLocalStorage } from 'node:async_hooks'

import { failure } from '../../errors/index.ts'
import type { Context } from '../context/context.ts'
import {
  MessageBatch,
  type DeliveredMessage,
  type Message,
  type Messages,
} from '../message/message.ts'
import type { Logger } from '../ports.ts'
import type { AnyTopic, Topic } from '../topic/define-topic.ts'
import type { Hooks } from './hooks.ts'

export type ConsumerMode = 'each' | 'batch'

/** Everything that an instance needs to know about the moment; replaced before each call. */
export interface Moment {
  readonly context: Context
  readonly topic: Topic
  readonly partition: number
  readonly mode: ConsumerMode
  readonly messages: readonly DeliveredMessage[]
}

// By name, so that a class made by another copy of this module is understood.
export const moment: unique symbol = Symbol.for('millrace.moment')
/** With lanes: what each of them is at, over every await. */
export const moments: unique symbol = Symbol.for('millrace.moments')

/**
 * A consumer as a class: one instance for each topic-partition, from assignment to revocation. It may hold state
 * and connections; `consume` is called for each message, or for each batch with the mode `'batch'`. Hooks are
 * methods of their names (`beforePoll`, `assigned`, `shutdown`...), called with the instance as `this`.
 *
 * @example
 * class UsersConsumer extends Consumer<typeof users> {
 *   async consume() { await createUser(this.message.value) }
 * }
 */
export abstract class Consumer<
  T extends AnyTopic = Topic,
  M extends ConsumerMode = 'each',
  Tx = undefined,
> implements Context<Record<string, unknown>, Tx> {
  // Carries the type parameters, so that a class for one topic is refused for another.
  declare readonly '~form'?: { readonly topic: T; readonly mode: M };
  [moment]: Moment | undefined = undefined;
  [moments]: AsyncLocalStorage<Moment> | undefined = undefined

  abstract consume(): unknown

  assigned?(...parameters: Parameters<NonNullable<Hooks<T>['assigned']>>): unknown
  beforePoll?(): unknown
  afterPoll?(): unknown
  afterFetch?(messages: Messages<T>): unknown
  ended?(): unknown
  idle?(): unknown
  tick?(): unknown
  revoked?(): unknown
  shutdown?(): unknown
  beforeStop?(): unknown

  /** In the form `each`. @throws MR_APP_WRONG_FORM in batch consumers */
  get message(): M extends 'each' ? Message<T> : never {
    const { mode, messages } = this.#now
    if (mode !== 'each') throw this.#wrongForm('message', mode)
    return messages[0] as unknown as M extends 'each' ? Message<T> : never
  }

  /** In the form `batch`. @throws MR_APP_WRONG_FORM in consumers of single messages */
  get messages(): M extends 'batch' ? Messages<T> : never {
    const { mode, messages } = this.#now
    if (mode !== 'batch') throw this.#wrongForm('messages', mode)
    return new MessageBatch(messages) as unknown as M extends 'batch' ? Messages<T> : never
  }

  get topic(): T {
    return this.#now.topic as unknown as T
  }

  get partition(): number {
    return this.#now.partition
  }

  get consumer(): string {
    return this.#now.context.consumer
  }

  get group(): string {
    return this.#now.context.group
  }

  get stopping(): boolean {
    return this.#now.context.stopping
  }

  get signal(): AbortSignal {
    return this.#now.context.signal
  }

  get owned(): boolean {
    return this.#now.context.owned
  }

  get attempt(): number {
    return this.#now.context.attempt
  }

  get retrying(): boolean {
    return this.#now.context.retrying
  }

  get log(): Logger {
    return this.#now.context.log
  }

  get send(): Context['send'] {
    return this.#now.context.send
  }

  get respondWith(): Context['respondWith'] {
    return this.#now.context.respondWith
  }

  get mark(): Context['mark'] {
    return this.#now.context.mark
  }

  get commit(): Context['commit'] {
    return this.#now.context.commit
  }

  get seek(): Context['seek'] {
    return this.#now.context.seek
  }

  get pause(): Context['pause'] {
    return this.#now.context.pause
  }

  get resume(): Context['resume'] {
    return this.#now.context.resume
  }

  get deadLetter(): Context['deadLetter'] {
    return this.#now.context.deadLetter
  }

  get lag(): number {
    return this.#now.context.lag
  }

  get state(): Record<string, unknown> {
    return this.#now.context.state
  }

  get match(): Context['match'] {
    return this.#now.context.match
  }

  get tx(): Tx {
    return this.#now.context.tx as Tx
  }

  get batch(): Context['batch'] {
    return this.#now.context.batch
  }

  get #now(): Moment {
    const now = this[moments]?.getStore() ?? this[moment]
    if (now === undefined)
      throw failure('MR_APP_WRONG_FORM', {
        consumer: this.constructor.name,
        asked: 'context',
        form: 'not assigned',
      })
    return now
  }

  #wrongForm(asked: string, form: ConsumerMode): Error {
    return failure('MR_APP_WRONG_FORM', { consumer: this.constructor.name, asked, form })
  }
}
