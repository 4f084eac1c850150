import { parseDuration, type Duration } from '../../kit/index.ts'
import { idOf as idOfSource } from '../dead-letter/policy.ts'
import type { DeliveredMessage, Message } from '../message/message.ts'

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
const defaultKeepMs = 14 * 24 * 3_600_000
/** Old rows are looked for so often, by a consumer that has just handled something. */
export const pruneEveryMs = 600_000
/** Rows that one statement deletes, so that no lock is held for long. */
export const pruneRows = 10_000

/** As dead letters and retry topics have it, so that a copy of a message is the same message. */
export function idOf(message: Message): string {
  return idOfSource((message as DeliveredMessage).source)
}

/** How long ids are kept; undefined: for ever. */
export function keepMsOf({ keep }: InboxOptions): number | undefined {
  if (keep === 'forever') return undefined
  return keep === undefined ? defaultKeepMs : parseDuration(keep)
}
