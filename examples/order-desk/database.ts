/**
 * A database for each service: a file of SQLite, or a schema in the Postgres of DATABASE_URL. In an application there is one
 * of the two, and no file like this: `tx.query(...)` of pg, or `tx.prepare(...)` of node:sqlite, stand in the handlers.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { Inbox, OutboxCore, OutboxOptions, Queued, Sendable, AnyTopic } from 'millrace'
import * as postgres from 'millrace/postgres'
import * as sqlite from 'millrace/sqlite'

export type Row = Readonly<Record<string, unknown>>
type Value = string | number

/** A transaction of a service's database. */
export type Tx = postgres.PgPoolClient | DatabaseSync

export interface Outbox extends OutboxCore {
  readonly send: <T extends AnyTopic>(
    tx: Tx,
    topic: T,
    message: Sendable<T>,
  ) => Queued | Promise<Queued>
}

export interface Database {
  readonly name: string
  /** Values stand as `?` in the text. */
  readonly run: (tx: Tx, text: string, ...values: readonly Value[]) => Promise<readonly Row[]>
  readonly query: (text: string, ...values: readonly Value[]) => Promise<readonly Row[]>
  readonly transaction: <R>(run: (tx: Tx) => Promise<R>) => Promise<R>
  readonly outbox: (options?: OutboxOptions) => Outbox
  readonly inbox: () => Inbox<Tx>
  readonly close: () => Promise<void>
}

export function openDatabase(service: string, folder: string): Promise<Database> {
  const url = process.env['DATABASE_URL']
  return url === undefined ? openSqlite(service, folder) : openPostgres(service, url)
}

async function openSqlite(service: string, folder: string): Promise<Database> {
  const database = new DatabaseSync(join(folder, `${service}.db`))
  database.exec('pragma journal_mode = wal; pragma synchronous = normal')
  const query = (text: string, ...values: readonly Value[]): Promise<readonly Row[]> =>
    Promise.resolve(database.prepare(text).all(...values))
  return {
    name: 'node:sqlite',
    query,
    run: (_tx, text, ...values) => query(text, ...values),
    transaction: (run) => sqlite.transaction(database, run),
    outbox: (options) => sqlite.sqlOutbox(database, options) as unknown as Outbox,
    inbox: () => sqlite.sqlInbox(database),
    close: () => Promise.resolve(database.close()),
  }
}

async function openPostgres(service: string, url: string): Promise<Database> {
  const { default: pg } = await import('pg')
  const schema = `order_desk_${service}`
  const pool = new pg.Pool({ connectionString: url, options: `-c search_path=${schema}` })
  await pool.query(`drop schema if exists ${schema} cascade`)
  await pool.query(`create schema ${schema}`)
  const numbered = (text: string): string => {
    let n = 0
    return text.replaceAll('?', () => `$${++n}`)
  }
  return {
    name: 'Postgres',
    query: async (text, ...values) => (await pool.query(numbered(text), [...values])).rows as Row[],
    run: async (tx, text, ...values) =>
      (await (tx as postgres.PgPoolClient).query(numbered(text), [...values])).rows as Row[],
    transaction: (run) => postgres.transaction(pool, run),
    outbox: (options) => postgres.sqlOutbox(pool, options) as unknown as Outbox,
    inbox: () => postgres.sqlInbox(pool),
    async close() {
      await pool.query(`drop schema ${schema} cascade`)
      await pool.end()
    },
  }
}
