import { systemClock } from '../../kit/index.ts'
import type { Runnable } from '../ports.ts'
import type { Sendable } from '../produce/sendable.ts'
import type { AnyTopic } from '../topic/define-topic.ts'
import { Debounced } from './bell.ts'
import { newRow, type RowRules } from './new-row.ts'
import { defaultMessageBytes, type OutboxOptions, type RelayOptions } from './options.ts'
import { OutboxRelay } from './relay.ts'
import type { NewRow, OutboxEntry, OutboxStats, OutboxStore } from './store.ts'

/** What was queued: its id travels as the header `millrace-id`. */
export interface Queued {
  readonly id: string
}

/** A relay, to be listed in `runnables` of `defineApp` or given to `startRelay`. */
export interface Relay extends Runnable {
  readonly kind: 'outbox-relay'
  /** Looks again at once. */
  readonly ring: () => void
  readonly store: OutboxStore
}

/** What an outbox can do besides queueing. Its functions may be taken apart. */
export interface OutboxCore {
  /** The table. */
  readonly name: string
  /** What sends the rows: in a worker by `defineApp({ runnables: [outbox.relay()] })`, elsewhere by `startRelay`. */
  readonly relay: (options?: RelayOptions) => Relay
  /** Says that a transaction with queued messages is committed, where the driver does not tell it. */
  readonly ring: () => void
  /** The statements that make the tables, for a migration. Safe to run again. */
  readonly sql: string
  /** Runs `sql`. */
  readonly createTables: () => Promise<void>
  readonly stats: () => Promise<OutboxStats>
  /** Rows in the order of their insertion. @param options.limit - default 100 */
  readonly list: (options?: {
    readonly isFailed?: boolean
    readonly limit?: number
  }) => Promise<readonly OutboxEntry[]>
  /** Sends failed rows again: these ids, or all. How many it were. */
  readonly retry: (ids?: readonly string[]) => Promise<number>
  /** Deletes failed rows for good: these ids, or all. How many it were. */
  readonly drop: (ids?: readonly string[]) => Promise<number>
}

export interface OutboxParts extends OutboxCore {
  /** Validated, encoded and measured. @throws MR_APP_SCHEMA_MISMATCH, MR_OUTBOX_TOPIC_UNDECLARED, MR_OUTBOX_TOO_LARGE */
  readonly rowOf: (
    topic: AnyTopic | string,
    message: Sendable<AnyTopic | string>,
  ) => NewRow | Promise<NewRow>
}

/** One notice to other processes in this time. */
const noticeEveryMs = 5

/** The outbox of a database, but for the statement that inserts: that one is the caller's transaction's. */
export function makeOutbox(store: OutboxStore, options: OutboxOptions): OutboxParts {
  const { topics, maxMessageBytes = defaultMessageBytes } = options
  const rules: RowRules = {
    outbox: store.name,
    topics: topics && new Map(topics.map((topic) => [topic.name, topic])),
    maxMessageBytes,
    now: () => Date.now(),
  }
  const relays = new Set<OutboxRelay>()
  // A lost notice costs a poll interval, no message.
  const notice = new Debounced(
    systemClock,
    noticeEveryMs,
    () => void store.notify?.().catch(() => {}),
  )
  return {
    name: store.name,
    sql: store.sql,
    rowOf: (topic, message) => newRow(topic, message, rules),
    relay: (relayOptions = {}) =>
      new OutboxRelay(store, relayOptions, (relay) => {
        relays.add(relay)
        return () => void relays.delete(relay)
      }),
    ring() {
      let isHeard = false
      for (const relay of relays) {
        relay.ring()
        isHeard ||= relay.isAlone
      }
      if (!isHeard && store.notify !== undefined) notice.trigger()
    },
    createTables: () => store.createTables(),
    stats: () => store.stats(),
    list: ({ isFailed = false, limit = 100 } = {}) => store.list({ isFailed, limit }),
    async retry(ids) {
      const count = await store.retry(ids)
      if (count > 0) this.ring()
      return count
    },
    async drop(ids) {
      const count = await store.drop(ids)
      if (count > 0) this.ring()
      return count
    },
  }
}
