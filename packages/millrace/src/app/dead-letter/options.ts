import type { Duration } from '../../kit/index.ts'
import type { Message } from '../message/message.ts'
import type { AnyTopic } from '../topic/define-topic.ts'

export interface DeadLetterOptions {
  /** A name, a declared topic, or a function that gives a name. Default `<topic>-dlt`. */
  readonly topic?: string | AnyTopic | ((message: Message, error: unknown) => string)
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
  /** More headers. */
  readonly enhance?: (message: Message, info: DeadLetterInfo) => Readonly<Record<string, string>>
  /** Which errors go; others keep being retried. Default all. */
  readonly when?: (error: unknown) => boolean
  /** More letters than this from one partition: it pauses, so that a bad deploy does not empty a topic. */
  readonly storm?:
    | { readonly limit?: number; readonly per?: Duration; readonly pause?: Duration }
    | false
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
  retries: 3,
  storm: { limit: 100, per: '1m', pause: '5m' },
} as const
