import { failure } from '../../errors/index.ts'
import type { Message } from '../message/message.ts'
import { quoted } from './names.ts'

/** A row by its columns, as the driver takes them. */
export type UpsertRow = Readonly<Record<string, unknown>>

export interface UpsertOptions<R extends UpsertRow = UpsertRow> {
  /** The column or columns of a unique index: which row it is. */
  readonly key: (keyof R & string) | readonly (keyof R & string)[]
  /**
   * What is newer: a whole number, one for all rows or a function of the row. Or the message in hand: its header
   * `millrace-version`, without one its offset, which is right only while a key stays in one partition of one topic.
   */
  readonly version:
    | number
    | bigint
    | Pick<Message, 'offset' | 'header'>
    | ((row: R) => number | bigint)
  /** Default `'version'`. */
  readonly versionColumn?: string
  /** Default `'deleted_at'`. */
  readonly deletedColumn?: string
}

const gone = Symbol.for('millrace.deleted')

/**
 * Says of a key that it is gone. The row stays, with its version and the time: without it an older message that comes
 * again would bring the entity back. `liveView` shows what is not gone.
 */
export function deleted<R extends UpsertRow>(key: R): R {
  return { ...key, [gone]: true }
}

/** A statement with its values. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** What differs between databases. */
export interface Dialect {
  /** The n-th value of a statement, from 1. */
  readonly parameter: (n: number) => string
  /** Values that one statement may have. */
  readonly mostValues: number
  /** The time now, as the column for deletions keeps it. */
  readonly now: string
}

/**
 * The statements that write rows whose version is newer than what is there, and nothing else.
 *
 * - Of several rows of one key the newest is written, whatever their order.
 * - Live and deleted rows go in statements of their own: a deletion touches no other column.
 */
export function upsertStatements<R extends UpsertRow>(
  dialect: Dialect,
  table: string,
  rows: readonly R[],
  options: UpsertOptions<R>,
): readonly Statement[] {
  const { versionColumn = 'version', deletedColumn = 'deleted_at' } = options
  const keys: readonly string[] = typeof options.key === 'string' ? [options.key] : options.key
  const newest = newestOf(table, rows, keys, options)
  const live = newest.filter(({ isDeleted }) => !isDeleted)
  const dead = newest.filter(({ isDeleted }) => isDeleted)
  const shape = { table, keys, versionColumn, deletedColumn }
  return [
    ...statementsOf(dialect, shape, live, columnsOf(table, live, keys, versionColumn)),
    ...statementsOf(dialect, shape, dead, keys),
  ]
}

interface Versioned {
  readonly row: UpsertRow
  readonly version: bigint
  readonly isDeleted: boolean
}

interface Shape {
  readonly table: string
  readonly keys: readonly string[]
  readonly versionColumn: string
  readonly deletedColumn: string
}

function newestOf<R extends UpsertRow>(
  table: string,
  rows: readonly R[],
  keys: readonly string[],
  options: UpsertOptions<R>,
): readonly Versioned[] {
  const byKey = new Map<string, Versioned>()
  for (const row of rows) {
    const key = keys.map((column) => {
      const part = row[column]
      if (part === undefined || part === null)
        throw failure('MR_UPSERT_ROW_INVALID', { table, reason: `it has no ${column}` })
      return typeof part === 'object' ? JSON.stringify(part) : (part as string | number).toString()
    })
    const version = versionOf(table, row, options)
    const id = JSON.stringify(key)
    const before = byKey.get(id)
    if (before === undefined || before.version < version)
      byKey.set(id, { row, version, isDeleted: gone in row })
  }
  return [...byKey.values()]
}

function versionOf<R extends UpsertRow>(
  table: string,
  row: R,
  { version }: UpsertOptions<R>,
): bigint {
  const found =
    typeof version === 'function'
      ? version(row)
      : typeof version === 'object'
        ? (version.header('millrace-version') ?? version.offset)
        : version
  try {
    return BigInt(found)
  } catch (cause) {
    const reason = `its version ${String(found)} is not a whole number`
    throw failure('MR_UPSERT_ROW_INVALID', { table, reason }, { cause })
  }
}

/** The first row says which; another set in a later row would be written as something that nobody meant. */
function columnsOf(
  table: string,
  rows: readonly Versioned[],
  keys: readonly string[],
  versionColumn: string,
): readonly string[] {
  const [first] = rows
  if (first === undefined) return keys
  const columns = Object.keys(first.row).filter((column) => column !== versionColumn)
  for (const { row } of rows) {
    const own = Object.keys(row).filter((column) => column !== versionColumn)
    if (own.length === columns.length && columns.every((column) => column in row)) continue
    const reason = `it has the columns ${own.join(', ')}, and the first one ${columns.join(', ')}`
    throw failure('MR_UPSERT_ROW_INVALID', { table, reason })
  }
  return columns
}

function statementsOf(
  dialect: Dialect,
  { table, keys, versionColumn, deletedColumn }: Shape,
  rows: readonly Versioned[],
  columns: readonly string[],
): Statement[] {
  const version = quoted(versionColumn)
  const deletion = quoted(deletedColumn)
  const target = quoted(table)
  const all = [...columns.map(quoted), version, deletion]
  const updates = all
    .filter((column) => !keys.map(quoted).includes(column))
    .map((column) => `${column} = excluded.${column}`)
  const perStatement = Math.floor(dialect.mostValues / (columns.length + 1))
  const statements: Statement[] = []
  for (let at = 0; at < rows.length; at += perStatement) {
    const values: unknown[] = []
    const tuples = rows.slice(at, at + perStatement).map(({ row, version: own, isDeleted }) => {
      const places = columns.map((column) => dialect.parameter(values.push(row[column])))
      places.push(dialect.parameter(values.push(own)))
      return `(${places.join(', ')}, ${isDeleted ? dialect.now : 'null'})`
    })
    statements.push({
      text:
        `insert into ${target} (${all.join(', ')}) values ${tuples.join(', ')} ` +
        `on conflict (${keys.map(quoted).join(', ')}) do update set ${updates.join(', ')} ` +
        `where ${target}.${version} < excluded.${version}`,
      values,
    })
  }
  return statements
}
