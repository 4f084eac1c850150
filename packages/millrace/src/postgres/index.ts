/**
 * Outbox, inbox and upsert in Postgres. Works with a pool of `pg` that you make; `pg` itself is not imported here.
 */
export { deleted } from '../app/index.ts'
export { sqlInbox } from './inbox.ts'
export { sqlOutbox, type PostgresOutbox } from './outbox.ts'
export type { PgClient, PostgresTransaction } from './run-sql.ts'
export {
  transaction,
  type PgPool,
  type PgPoolClient,
  type PostgresDatabase,
  type TransactionOf,
} from './transaction.ts'
export { liveView, upsert } from './upsert.ts'
