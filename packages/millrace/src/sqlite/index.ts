/** Outbox, inbox and upsert in SQLite, over a connection of `node:sqlite` or `better-sqlite3` that you open. */
export { deleted } from '../app/index.ts'
export type { SqliteDatabase, SqliteStatement } from './database.ts'
export { sqlInbox } from './inbox.ts'
export { sqlOutbox, type SqliteOutbox } from './outbox.ts'
export { transaction } from './transaction.ts'
export { liveView, upsert } from './upsert.ts'
