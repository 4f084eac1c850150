import type { Duration } from '../../kit/index.ts'
import type { Message } from '../message/message.ts'

export interface InboxOptions {
  /** Default `'millrace_inbox'`. */
  readonly table?: string
  /**
   * How long a message is remembered. Longer than a duplicate can take to come: the retention of the topic, and the time in
   * which dead letters are sent back. Default `'14d'`; `'forever'` keeps all.
   */
  readonly keep?: Duration
  /**
   * What makes two messages the same. Default the header `millrace-id`, which producer, outbox and dead letters keep; without
   * one its `topic/partition/offset`.
   */
  readonly id?: (message: Message) => string
}

export const defaultInboxTable = 'millrace_inbox'
export const defaultKeepMs = 14 * 24 * 3_600_000
/** Old rows are looked for so often, by a consumer that has just handled something. */
export const pruneEveryMs = 600_000
/** Rows that one statement deletes, so that no lock is held for long. */
export const pruneRows = 10_000

export function idOf(message: Message): string {
  const { topic, partition, offset } = message
  return message.header('millrace-id') ?? `${topic}/${partition}/${offset}`
}
