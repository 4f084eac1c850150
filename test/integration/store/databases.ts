import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type {
  AnyTopic,
  Inbox,
  InboxOptions,
  OutboxCore,
  OutboxOptions,
  Queued,
  Sendable,
} from '../../../packages/millrace/src/app/index.ts'
import * as postgres from '../../../packages/millrace/src/postgres/index.ts'
import * as sqlite from '../../../packages/millrace/src/sqlite/index.ts'
import { noPostgres, startPostgres } from '../../harness/postgres.ts'

/** One transaction of either database. */
export interface Tx {
  /** Values stand as `?` in the text. */
  readonly query: (
    text: string,
    ...values: readonly unknown[]
  ) => Promise<readonly Record<string, unknown>[]>
  /** What the libraries take. */
  readonly handle: never
}

/** What tests do in a database, whichever it is. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: 'Postgres' | 'SQLite'
  readonly query: Tx['query']
  readonly exec: (sql: string) => Promise<unknown>
  readonly transaction: <R>(run: (tx: Tx) => Promise<R>) => Promise<R>
  readonly outbox: (options?: OutboxOptions) => OutboxCore & {
    readonly send: <T extends AnyTopic | string>(
      tx: never,
      topic: T,
      message: Sendable<T>,
    ) => Promise<Queued> | Queued
  }
  readonly inbox: (options?: InboxOptions) => Inbox<never>
  readonly upsert: typeof postgres.upsert
  readonly liveView: typeof postgres.liveView
  /** The transaction that an inbox gives, as a Tx. */
  readonly tx: (given: unknown) => Tx
}

export const databases: readonly {
  readonly name: TestDatabase['name']
  readonly skip: string | false
  readonly open: () => Promise<TestDatabase>
}[] = [
  { name: 'SQLite', skip: false, open: openSqlite },
  { name: 'Postgres', skip: noPostgres ?? false, open: openPostgres },
]

async function openPostgres(): Promise<TestDatabase> {
  const server = await startPostgres()
  const { pool } = server
  const tx = (given: unknown): Tx => {
    const client = given as postgres.PgClient
    return {
      handle: client as never,
      async query(text, ...values) {
        let n = 0
        const { rows } = await client.query(
          text.replaceAll('?', () => `$${++n}`),
          [...values],
        )
        return rows as Record<string, unknown>[]
      },
    }
  }
  return {
    name: 'Postgres',
    query: tx(pool).query,
    exec: (sql) => pool.query(sql),
    transaction: (run) => postgres.transaction(pool, (client) => run(tx(client))),
    outbox: (options) => postgres.sqlOutbox(pool, options),
    inbox: (options) => postgres.sqlInbox(pool, options) as never,
    upsert: postgres.upsert,
    liveView: postgres.liveView,
    tx,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function openSqlite(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-sqlite-'))
  const database = new DatabaseSync(join(folder, 'test.db'))
  database.exec('pragma journal_mode = wal')
  const tx: Tx = {
    handle: database as never,
    query: (text, ...values) =>
      Promise.resolve(
        database.prepare(text).all(...(values as never[])) as Record<string, unknown>[],
      ),
  }
  return {
    name: 'SQLite',
    query: tx.query,
    exec: (sql) => Promise.resolve(database.exec(sql)),
    transaction: (run) => sqlite.transaction(database, () => run(tx)),
    outbox: (options) => sqlite.sqlOutbox(database, options),
    inbox: (options) => sqlite.sqlInbox(database, options) as never,
    upsert: ((handle: never, table, rows, options) =>
      Promise.resolve(sqlite.upsert(handle, table, rows, options))) as typeof postgres.upsert,
    liveView: sqlite.liveView,
    tx: () => tx,
    async [Symbol.asyncDispose]() {
      database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
