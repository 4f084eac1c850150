import { failure } from '../errors/index.ts'

/** A prepared statement, as `node:sqlite` and `better-sqlite3` have it. */
export interface SqliteStatement {
  // oxlint-disable-next-line typescript/no-explicit-any -- the two libraries name their values differently
  all(...values: any[]): unknown[]
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  run(...values: any[]): { readonly changes: number | bigint }
}

/** A connection of `node:sqlite` (`DatabaseSync`) or of `better-sqlite3`. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
}

type Row = Readonly<Record<string, unknown>>

/** Whether a transaction is open, whoever began it. */
export function isInTransaction(database: SqliteDatabase): boolean {
  const { isTransaction, inTransaction } = database as {
    readonly isTransaction?: boolean
    readonly inTransaction?: boolean
  }
  return isTransaction ?? inTransaction ?? false
}

const prepared = new WeakMap<SqliteDatabase, Map<string, SqliteStatement>>()

/** Runs a statement, prepared once for each connection. */
export function allRows(
  database: SqliteDatabase,
  sql: string,
  values: readonly unknown[] = [],
): readonly Row[] {
  return statementOf(database, sql).all(...values.map(bound)) as readonly Row[]
}

/** The same without rows; how many it changed. */
export function changed(
  database: SqliteDatabase,
  sql: string,
  values: readonly unknown[] = [],
): number {
  return Number(statementOf(database, sql).run(...values.map(bound)).changes)
}

/** What the libraries take: they know neither booleans nor dates. */
function bound(value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  return value instanceof Date ? value.toISOString() : value
}

function statementOf(database: SqliteDatabase, sql: string): SqliteStatement {
  let statements = prepared.get(database)
  if (statements === undefined) prepared.set(database, (statements = new Map()))
  let statement = statements.get(sql)
  if (statement === undefined) {
    if (typeof (database as Partial<SqliteDatabase>).prepare !== 'function') {
      const takes = 'a connection of node:sqlite or better-sqlite3'
      throw failure('MR_SQL_HANDLE_UNKNOWN', { takes, found: typeof database })
    }
    statement = database.prepare(sql)
    // Statements of other shapes are few; a caller that writes values into its text would fill the memory.
    if (statements.size < 100) statements.set(sql, statement)
  }
  return statement
}

export function asBuffer(value: unknown): Buffer | null {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return value
  const bytes = value as Uint8Array
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
