import {
  internals,
  type AnyTopic,
  type OutboxCore,
  type OutboxOptions,
  type Queued,
  type Sendable,
} from '../app/index.ts'
import { insertSql, postgresOutboxStore } from './outbox-store.ts'
import { runnerOf, whenEnded, type PostgresTransaction } from './run-sql.ts'
import { outlive, type PgPool } from './transaction.ts'

/** An outbox in Postgres. Its functions may be taken apart. */
export interface PostgresOutbox extends OutboxCore {
  /**
   * Queues a message in the caller's transaction: it is sent when that commits, and never when it rolls back. Validated and
   * encoded here, so a bad event rolls the business change back. For order per key the caller has locked, or
   * version-checked, the entity's row before.
   *
   * @throws MR_APP_SCHEMA_MISMATCH, MR_OUTBOX_TOPIC_UNDECLARED, MR_OUTBOX_TOO_LARGE, MR_SQL_HANDLE_UNKNOWN
   */
  readonly send: <T extends AnyTopic | string>(
    tx: PostgresTransaction,
    topic: T,
    message: Sendable<T>,
  ) => Promise<Queued>
}

/**
 * A transactional outbox in Postgres: messages are rows of the application's transaction until a relay has sent them.
 *
 * @param pool - of `pg`: for the relay and the commands; the messages are inserted over the caller's transaction
 * @throws MR_SQL_NAME_INVALID
 * @example
 * const pool = new Pool()
 * const outbox = sqlOutbox(pool, { topics: [users] })
 * await outbox.createTables()
 * await transaction(pool, async (tx) => {
 *   await tx.query('insert into users (id) values ($1)', ['7'])
 *   await outbox.send(tx, users, { key: '7', value: { id: '7' } })
 * })
 */
export function sqlOutbox(pool: PgPool, options: OutboxOptions = {}): PostgresOutbox {
  const table = options.table ?? internals.defaultOutboxTable
  const insert = insertSql(table)
  outlive(pool)
  const { rowOf, ...core } = internals.makeOutbox(postgresOutboxStore(pool, table), options)
  return {
    ...core,
    async send(tx, topic, message) {
      const run = runnerOf(tx)
      const given = rowOf(topic, message)
      const row = given instanceof Promise ? await given : given
      const { shard, id, key, value, headers, partition, timestampMs } = row
      whenEnded(tx, core.ring)
      await run(insert, [shard, id, row.topic, key, value, headers, partition, timestampMs])
      return { id }
    },
  }
}
