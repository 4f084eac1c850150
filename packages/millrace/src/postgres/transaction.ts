import { EventEmitter } from 'node:events'

import { failure } from '../errors/index.ts'
import { runnerOf, type PgClient, type PostgresTransaction } from './run-sql.ts'

/** A client of a pool of `pg`. */
export interface PgPoolClient extends PgClient {
  release(error?: Error | boolean): void
}

/** A pool of `pg`. */
export interface PgPool {
  connect(): Promise<PgPoolClient>
}

/**
 * What makes transactions: a pool of `pg`; `sql` of postgres.js; a database of Drizzle (`transaction`), or of Prisma
 * (`$transaction`). Kysely and others: `{ transaction: (run) => db.transaction().execute(run) }`.
 */
export type PostgresDatabase =
  | PgPool
  | { readonly transaction: Transacting }
  | { readonly begin: Transacting }
  | { readonly $transaction: Transacting }

// oxlint-disable-next-line typescript/no-explicit-any -- each library hands out a type of its own
type Transacting = (run: (tx: any) => Promise<any>) => PromiseLike<any>

type Handed<F> = F extends (run: (tx: infer Tx) => Promise<unknown>, ...more: never[]) => unknown
  ? Tx
  : never

/** The transaction that a database hands to what runs in it. */
export type TransactionOf<D> = D extends {
  readonly connect: { (): Promise<infer C>; (...given: never[]): unknown }
}
  ? C
  : D extends { readonly connect: () => Promise<infer C> }
    ? C
    : D extends { readonly transaction: infer F }
      ? Handed<F>
      : D extends { readonly begin: infer F }
        ? Handed<F>
        : D extends { readonly $transaction: infer F }
          ? Handed<F>
          : never

type Transact = (run: (tx: unknown) => Promise<unknown>) => Promise<unknown>

/**
 * Runs a function in a transaction: commits when it resolves, rolls back when it rejects.
 *
 * @throws MR_SQL_ROLLED_BACK when a statement had failed and its error was caught; what the function throws
 */
export async function transaction<D extends PostgresDatabase, R>(
  database: D,
  run: (tx: TransactionOf<D>) => Promise<R>,
): Promise<R> {
  const call = run as unknown as (tx: unknown) => Promise<R>
  const {
    transaction: own,
    begin,
    $transaction: prisma,
    connect,
  } = database as Partial<Record<'transaction' | 'begin' | '$transaction', Transact>> &
    Partial<PgPool>
  const theirs = own ?? begin ?? prisma
  if (theirs !== undefined) return (await theirs.call(database, wholly(call))) as R
  if (connect === undefined) {
    const takes = 'a pool of pg, or a database of postgres.js, Drizzle or Prisma'
    throw failure('MR_SQL_HANDLE_UNKNOWN', { takes, found: typeof database })
  }
  return await onClient(await connect.call(database as PgPool), call)
}

/** Some libraries do not look at what their commit did, so a last statement asks whether it can do anything at all. */
function wholly<R>(run: (tx: unknown) => Promise<R>): (tx: unknown) => Promise<R> {
  return async (tx) => {
    const result = await run(tx)
    try {
      await runnerOf(tx as PostgresTransaction)('select 1', [])
    } catch (cause) {
      throw failure('MR_SQL_ROLLED_BACK', {}, { cause })
    }
    return result
  }
}

async function onClient<R>(client: PgPoolClient, run: (tx: unknown) => Promise<R>): Promise<R> {
  let broken: Error | undefined
  const unhear = hearErrors(client)
  try {
    await client.query('begin')
    let result: R
    try {
      result = await run(client)
    } catch (error) {
      await client.query('rollback').catch((failed: Error) => (broken = failed))
      throw error
    }
    // After a failed statement a commit succeeds, and rolls back.
    const { command } = (await client.query('commit')) as { readonly command?: string }
    if (command === 'ROLLBACK') throw failure('MR_SQL_ROLLED_BACK', {})
    return result
  } catch (error) {
    if (error instanceof Error && isConnectionLost(client)) broken ??= error
    throw error
  } finally {
    unhear()
    client.release(broken)
  }
}

/**
 * A pool tells of idle connections that ended, and a process that does not listen ends with them: a restart of the database
 * would stop the worker. There is nothing to do about it; the next statement takes a new connection, or says why not.
 */
export function outlive(database: PostgresDatabase): void {
  if (!(database instanceof EventEmitter) || outlived.has(database)) return
  outlived.add(database)
  database.on('error', () => {})
}

const outlived = new WeakSet<object>()

/** Statements that make tables, one process at a time: two at once would find that the other's table is not there yet. */
export async function runOnce(database: PostgresDatabase, sql: string): Promise<void> {
  await transaction(database, async (tx) => {
    const run = runnerOf(tx)
    await run('select pg_advisory_xact_lock($1)', [millraceLock])
    for (const statement of sql.split(';\n').filter((one) => one.trim() !== ''))
      await run(statement, [])
  })
}

/** Any number that nobody else locks. */
const millraceLock = 7_170_283_465

/** A connection that ends while nothing is asked of it would else end the process; the next statement says it. */
export function hearErrors(
  client: PgPoolClient,
  heard: (error: Error) => void = () => {},
): () => void {
  if (!(client instanceof EventEmitter)) return () => {}
  client.on('error', heard)
  return () => void client.off('error', heard)
}

/** A client whose transaction is not over must not go back into the pool. */
function isConnectionLost(client: PgPoolClient): boolean {
  const { getTransactionStatus } = client as { readonly getTransactionStatus?: () => string | null }
  const status = getTransactionStatus?.call(client)
  return status === 'T' || status === 'E'
}
