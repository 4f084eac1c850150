import type { Duration } from '../../kit/index.ts'
import type { Message } from '../message/message.ts'
import type { Header } from '../ports.ts'

/** What a filter may know besides its message. */
export interface FilterContext {
  readonly consumer: string
  readonly group: string
  /** From 1: a filter that threw is asked again with the next attempt. */
  readonly attempt: number
}

export interface ThrottleOptions {
  /** Most messages within `per`, whichever moment it is counted from. */
  readonly limit: number
  readonly per: Duration
  /** What the limit is for: each partition by itself, or all that this worker has of the consumer. Default `'partition'`. */
  readonly scope?: 'partition' | 'worker'
}

/** Which messages reach the handler, and when. All of it is decided before the handler is called. */
export interface PacingOptions {
  /**
   * Messages for which it returns false are finished without the handler, counted and published. Synchronous. A throw is a
   * failed attempt of the message. Default: every message passes.
   */
  readonly filter?: (message: Message, context: FilterContext) => boolean
  /** The same before anything is decoded: the bytes of the key, and the headers in their order. */
  readonly filterRaw?: (key: Buffer | null, headers: readonly Header[]) => boolean
  /** Most messages in a time; then the partition waits until the window frees. Retries are not counted. Default off. */
  readonly throttle?: ThrottleOptions | false
  /** A message is handled once its timestamp is so long ago, never earlier; the partition waits for it. Default off. */
  readonly delay?: Duration | false
  /** A message whose timestamp is longer ago is not handled. Looked at before each attempt. Default off. */
  readonly expireAfter?: Duration | false
  /** What becomes of it. `'deadLetter'` needs a dead letter topic. Default `'skip'`. */
  readonly expired?: 'skip' | 'deadLetter'
}
