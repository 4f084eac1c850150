import type { Duration } from '../../kit/index.ts'
import type { Message } from '../message/message.ts'
import type { AnyTopic } from '../topic/define-topic.ts'

export interface DeadLetterOptions {
  /** A name, a declared topic, or a function that gives a name. Default `<topic>-dlt`. */
  readonly topic?: string | AnyTopic | ((message: Message, error: unknown) => string)
  /** Attempts after the first one, where the consumer's `retries` does not say. 0: at the first failure. Default 3. */
  readonly retries?: number
  /** `'same'` keeps the source's number, so that order is kept; `'key'` goes by the key. Default `'same'`. */
  readonly partition?: 'same' | 'key'
  /** For creating the topic. Default: as many as the source. */
  readonly partitions?: number
  /** For creating the topic. Default `'14d'`. */
  readonly retention?: Duration
  /** `'minimal'`: source coordinates and group alone. Default `'full'`. */
  readonly headers?: 'full' | 'minimal'
  /** Whether the stack of the error goes along, cut at 4 KiB. Default true. */
  readonly stack?: boolean
  /** More headers, or another key. Value and what it leaves out stay as they are. */
  readonly enhance?: (message: Message, info: DeadLetterInfo) => DeadLetterExtras
  /** Which errors go; others keep being retried. Default all. */
  readonly when?: (error: unknown) => boolean
  /** More letters than this from one partition: it pauses, so that a bad deploy does not empty a topic. */
  readonly storm?:
    | { readonly limit?: number; readonly per?: Duration; readonly pause?: Duration }
    | false
  /**
   * `'unique'`: the key is `topic/partition/offset` of the message, and its own key goes into the header
   * `millrace-source-key`, from which a redrive takes it back. Default `'same'`.
   */
  readonly key?: 'same' | 'unique'
  /** The topic is created with compaction instead of a retention; only with `key: 'unique'`. Default false. */
  readonly compacted?: boolean
}

export interface DeadLetterExtras {
  readonly headers?: Readonly<Record<string, string | Buffer>>
  readonly key?: string | Buffer | null
}

/** Why and when a message was given up. */
export interface DeadLetterInfo {
  readonly group: string
  readonly consumer: string
  readonly attempts: number
  readonly reason: string
  readonly error: unknown
  readonly firstFailedAtMs: number
  readonly failedAtMs: number
  readonly worker: string
}

export const deadLetterDefaults = {
  partition: 'same',
  retention: '14d',
  headers: 'full',
  stack: true,
  key: 'same',
  retries: 3,
  storm: { limit: 100, per: '1m', pause: '5m' },
} as const
