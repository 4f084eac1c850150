import { EventEmitter } from 'node:events'
import { setTimeout as after } from 'node:timers'

import { failure } from '../errors/index.ts'

/** What a statement gave: its rows, and how many it touched. */
export interface SqlResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly count: number
}

/** Runs one statement with values for `$1`, `$2`... */
export type RunSql = (text: string, values: readonly unknown[]) => Promise<SqlResult>

/** A client of `pg`, in a transaction or not. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<PgResult>
}

interface PgResult {
  // oxlint-disable-next-line typescript/no-explicit-any -- as pg declares it
  readonly rows: readonly any[]
  readonly rowCount: number | null
}

/**
 * Whatever runs a statement in the transaction of its caller: a client of `pg`; `sql` of postgres.js inside `begin`; the
 * transaction of Drizzle, Kysely or Prisma; or a function `(text, values) => rows`.
 */
export type PostgresTransaction =
  | PgClient
  | { readonly unsafe: (text: string, values?: never) => PromiseLike<unknown> }
  | { readonly execute: (query: never) => PromiseLike<unknown> }
  | { readonly executeQuery: (query: never, ...more: never) => PromiseLike<unknown> }
  | { readonly $queryRawUnsafe: (text: string, ...values: never) => PromiseLike<unknown> }
  | ((text: string, values: readonly unknown[]) => PromiseLike<unknown>)

type Call = (...given: readonly unknown[]) => PromiseLike<unknown>

/** @throws MR_SQL_HANDLE_UNKNOWN */
export function runnerOf(transaction: PostgresTransaction): RunSql {
  const has = (name: string): boolean =>
    typeof (transaction as unknown as Record<string, unknown>)[name] === 'function'
  const call = (name: string, ...given: readonly unknown[]): PromiseLike<unknown> =>
    (transaction as unknown as Record<string, Call>)[name]?.call(transaction, ...given) as never
  // postgres.js is a function as well, so it is looked at first.
  if (has('unsafe'))
    return async (text, values) => resultOf(await call('unsafe', text, [...values]))
  if (has('$queryRawUnsafe'))
    return async (text, values) => resultOf(await call('$queryRawUnsafe', text, ...values))
  if (has('executeQuery'))
    return async (text, values) => {
      const query = { kind: 'RawNode', sqlFragments: [text], parameters: [] }
      const compiled = { sql: text, parameters: values, query, queryId: { queryId: '' } }
      return resultOf(await call('executeQuery', compiled))
    }
  if (has('execute'))
    return async (text, values) => {
      const sql = { toQuery: () => ({ sql: text, params: [...values], typings: [] }) }
      return resultOf(await call('execute', { getSQL: () => sql }))
    }
  if (has('query')) return async (text, values) => resultOf(await call('query', text, [...values]))
  if (typeof transaction === 'function')
    return async (text, values) => resultOf(await transaction(text, values))
  const takes = 'a transaction of pg, postgres.js, Drizzle, Kysely or Prisma, or a function'
  throw failure('MR_SQL_HANDLE_UNKNOWN', { takes, found: typeof transaction })
}

/** A list of rows (postgres.js adds `count`), or an object with `rows`. */
function resultOf(answer: unknown): SqlResult {
  if (Array.isArray(answer)) {
    const { count } = answer as { readonly count?: number | null }
    return { rows: answer as SqlResult['rows'], count: count ?? answer.length }
  }
  const { rows, rowCount, numAffectedRows } = (answer ?? {}) as {
    readonly rows?: SqlResult['rows']
    readonly rowCount?: number | null
    readonly numAffectedRows?: bigint
  }
  return { rows: rows ?? [], count: rowCount ?? Number(numAffectedRows ?? rows?.length ?? 0) }
}

const watched = new WeakSet<object>()
/** For drivers that do not tell when a transaction ends: most are over by one of these. */
const guessesMs = [5, 25, 100, 400]

/**
 * Calls back when the transaction that a statement is about to join has ended. A client of `pg` says so: each answer of the
 * server ends with the state of its transaction (`ReadyForQuery`, I for none). Of others it is guessed, which
 * costs a look into an outbox that has nothing to show.
 */
export function whenEnded(transaction: PostgresTransaction, ended: () => void): void {
  const { connection } = transaction as { readonly connection?: unknown }
  if (!(connection instanceof EventEmitter)) {
    for (const ms of guessesMs) after(ended, ms).unref()
    return
  }
  if (watched.has(connection)) return
  watched.add(connection)
  const onReady = (answer: { readonly status?: string } | undefined): void => {
    if (answer?.status !== 'I') return
    connection.off('readyForQuery', onReady)
    watched.delete(connection)
    ended()
  }
  connection.on('readyForQuery', onReady)
}
