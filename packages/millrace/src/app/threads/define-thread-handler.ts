import type { Context } from '../context/context.ts'
import type { OnEvents } from '../consumer/by-event.ts'
import type { MessageOf, TopicOf, TopicSpec } from '../consumer/define-consumer.ts'
import type { Messages } from '../message/message.ts'
import type { Topic } from '../topic/define-topic.ts'

/**
 * What a handler in a thread may know and do besides its message. In a loop that never waits, read `stopping` and
 * `aborted`: no event reaches such a loop, so its `signal` cannot be told.
 */
export interface ThreadContext extends Pick<
  Context,
  | 'consumer'
  | 'group'
  | 'attempt'
  | 'retrying'
  | 'signal'
  | 'stopping'
  | 'log'
  | 'send'
  | 'respondWith'
  | 'batch'
> {
  /** The signal's state, also in the middle of a loop. A call that goes on for half a second after it ends with its thread. */
  readonly aborted: boolean
}

/** Exactly one of the three. */
export type ThreadForm<T extends TopicSpec> =
  | {
      readonly each: (message: MessageOf<TopicOf<T>>, context: ThreadContext) => unknown
      readonly batch?: never
      readonly on?: never
    }
  | {
      readonly batch: (messages: Messages<TopicOf<T>>, context: ThreadContext) => unknown
      readonly each?: never
      readonly on?: never
    }
  | {
      readonly on: OnEvents<TopicOf<T>, ThreadContext>
      readonly each?: never
      readonly batch?: never
    }

/** The default export of a handler module. */
export interface ThreadHandlerDefinition {
  readonly kind: 'thread-handler'
  readonly topics: readonly Topic[]
  readonly each: unknown
  readonly batch: unknown
  readonly on: unknown
}

/**
 * Declares the handler of a module that runs in worker threads: `defineConsumer({ topic, runIn: 'thread', handler: new
 * URL('./resize.ts', import.meta.url) })`. Bytes cross to the thread and are decoded there; what is sent is encoded there.
 *
 * @example
 * const images = defineTopic('images', { value: bytes() })
 * const handler = defineThreadHandler({ topic: images, each: ({ value }, { send }) => send('sizes', { value: value.length }) })
 * export default handler
 */
export function defineThreadHandler<const T extends TopicSpec>(
  options: { readonly topic: T } & ThreadForm<T>,
): ThreadHandlerDefinition {
  const { topic, each, batch, on } = options
  return {
    kind: 'thread-handler',
    topics: (Array.isArray(topic) ? topic : [topic]) as readonly Topic[],
    each,
    batch,
    on,
  }
}
