import type { Duration } from '../../kit/index.ts'
import type { AnyTopic } from '../topic/define-topic.ts'

/** Keys are spread over so many shards; a relay leases each by itself. Fixed: rows keep their shard. */
export const shardCount = 8

export interface OutboxOptions {
  /** Default `'millrace_outbox'`; its leases are in `<table>_lease`. */
  readonly table?: string
  /** When given, these alone are taken, and may be named by their names. */
  readonly topics?: readonly AnyTopic[]
  /** Largest message, in bytes, unless its topic says `max.message.bytes`. Default 1,000,012, as the producer's. */
  readonly maxMessageBytes?: number
}

export interface RelayOptions {
  /** How long a silent relay keeps its shards. Default `'10s'`. */
  readonly lease?: Duration
  /** How often it looks when nothing rings. Default `'1s'`. */
  readonly poll?: Duration
  /** Rows read and sent at once. Default 500. */
  readonly round?: number
}

export const defaultTable = 'millrace_outbox'
/** As the producer's `maxMessageBytes`. */
export const defaultMessageBytes = 1_000_012
