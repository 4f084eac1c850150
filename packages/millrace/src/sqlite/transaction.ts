import { setTimeout as wait } from 'node:timers/promises'

import { failure } from '../errors/index.ts'
import { isInTransaction, type SqliteDatabase } from './database.ts'

/** SQLite has one writer, and a connection one transaction: whoever comes later waits here for those before. */
const lineByDatabase = new WeakMap<SqliteDatabase, Promise<unknown>>()

/** Longest wait for a transaction that another part of the process, or another process, has open. */
const busyMs = 10_000
const pollMs = 2

/** Calls `run` when nobody else who came through here is at it. */
export function inLine<R>(database: SqliteDatabase, run: () => R | Promise<R>): Promise<R> {
  const before = lineByDatabase.get(database) ?? Promise.resolve()
  const own = before.then(run, run)
  lineByDatabase.set(
    database,
    own.then(
      () => undefined,
      () => undefined,
    ),
  )
  return own
}

/**
 * Runs a function in a transaction (`begin immediate`): commits when it resolves, rolls back when it rejects. Others that come
 * here meanwhile wait their turn, so it may wait for something else than the database. Transactions on the same connection
 * that do not come here must be over at once, without an `await` in them.
 *
 * @throws MR_SQL_NESTED when such a one does not end; what the function throws
 */
export function transaction<D extends SqliteDatabase, R>(
  database: D,
  run: (tx: D) => R | Promise<R>,
): Promise<R> {
  return inLine(database, async () => {
    await untilFree(database)
    await begin(database)
    try {
      const result = await run(database)
      database.exec('commit')
      return result
    } catch (error) {
      if (isInTransaction(database)) database.exec('rollback')
      throw error
    }
  })
}

/** Waits until no transaction is open on the connection. @throws MR_SQL_NESTED */
export async function untilFree(database: SqliteDatabase): Promise<void> {
  const endMs = performance.now() + busyMs
  while (isInTransaction(database)) {
    if (performance.now() > endMs) throw failure('MR_SQL_NESTED', {})
    await wait(pollMs)
  }
}

/** Another process may write: this one waits without stopping its event loop. */
async function begin(database: SqliteDatabase): Promise<void> {
  const endMs = performance.now() + busyMs
  for (;;) {
    try {
      database.exec('begin immediate')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > endMs) throw error
      await wait(pollMs)
    }
  }
}

/** SQLITE_BUSY, as node:sqlite and better-sqlite3 tell it. */
export function isBusy(error: unknown): boolean {
  const { errcode, code } = error as { readonly errcode?: number; readonly code?: string }
  return errcode === 5 || code === 'SQLITE_BUSY'
}
