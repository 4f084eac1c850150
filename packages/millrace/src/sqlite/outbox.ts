import { setTimeout as after } from 'node:timers'

import { failure } from '../errors/index.ts'
import {
  internals,
  type AnyTopic,
  type OutboxCore,
  type OutboxOptions,
  type Queued,
  type Sendable,
} from '../app/index.ts'
import { changed, isInTransaction, type SqliteDatabase } from './database.ts'
import { insertSql, sqliteOutboxStore } from './outbox-store.ts'

/** An outbox in SQLite. Its functions may be taken apart. */
export interface SqliteOutbox extends OutboxCore {
  /**
   * Queues a message in the transaction that is open on the connection: it is sent when that commits, and never when it rolls
   * back. Validated and encoded here, so a bad event rolls the business change back. Done when it returns, so it may stand in
   * a transaction that does not wait; `await` does no harm.
   *
   * @throws MR_APP_SCHEMA_MISMATCH, MR_OUTBOX_TOPIC_UNDECLARED, MR_OUTBOX_TOO_LARGE, MR_OUTBOX_SCHEMA_ASYNC
   */
  readonly send: <T extends AnyTopic | string>(
    tx: SqliteDatabase,
    topic: T,
    message: Sendable<T>,
  ) => Queued
}

/** When a transaction that is open now may be over; each is one look of the relay. */
const guessesMs = [1, 5, 25, 100, 400]

/**
 * A transactional outbox in SQLite: messages are rows of the application's transaction until a relay has sent them.
 *
 * @param database - a connection of `node:sqlite` or `better-sqlite3`, for the relay and the commands
 * @throws MR_SQL_NAME_INVALID
 */
export function sqlOutbox(database: SqliteDatabase, options: OutboxOptions = {}): SqliteOutbox {
  const table = options.table ?? internals.defaultOutboxTable
  const insert = insertSql(table)
  const { rowOf, ...core } = internals.makeOutbox(sqliteOutboxStore(database, table), options)
  const watched = new WeakSet<SqliteDatabase>()
  const ringAfter = (tx: SqliteDatabase): void => {
    if (watched.has(tx)) return
    watched.add(tx)
    // A transaction that does not wait is over by then.
    setImmediate(() => {
      watched.delete(tx)
      if (!isInTransaction(tx)) core.ring()
      else for (const ms of guessesMs) after(() => core.ring(), ms).unref()
    })
  }
  return {
    ...core,
    send(tx, topic, message) {
      const row = rowOf(topic, message)
      if (row instanceof Promise) {
        row.catch(() => {})
        const name = typeof topic === 'string' ? topic : topic.name
        throw failure('MR_OUTBOX_SCHEMA_ASYNC', { topic: name })
      }
      const { shard, id, key, value, headers, partition, timestampMs } = row
      const now = Date.now()
      const values = [shard, id, row.topic, key, value, headers, partition, timestampMs, now]
      changed(tx, insert, values)
      ringAfter(tx)
      return { id }
    },
  }
}
