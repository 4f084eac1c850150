import { internals, type UpsertOptions, type UpsertRow } from '../app/index.ts'
import { runnerOf, type PostgresTransaction } from './run-sql.ts'

const { quoted } = internals
const dialect: internals.Dialect = {
  parameter: (n) => `$${n}`,
  mostValues: 60_000,
  now: 'clock_timestamp()',
}

/**
 * Writes rows whose version is newer than what the table has, and leaves the others as they are: messages that come twice, or
 * in another order, end in the same table. The key needs a unique index; the table a column `version bigint not null` and
 * one `deleted_at timestamptz`.
 *
 * @returns how many rows were written; the others were older, or the same
 * @throws MR_UPSERT_ROW_INVALID, MR_SQL_NAME_INVALID
 * @example
 * const copies = defineConsumer({
 *   topic: users,
 *   inbox: sqlInbox(new Pool()),
 *   async each(message, { tx }) {
 *     const row = { id: message.key, email: message.value.email }
 *     await upsert(tx, 'users_copy', [row], { key: 'id', version: message })
 *   },
 * })
 */
export async function upsert<R extends UpsertRow>(
  tx: PostgresTransaction,
  table: string,
  rows: readonly R[],
  options: UpsertOptions<R>,
): Promise<number> {
  const run = runnerOf(tx)
  let written = 0
  for (const { text, values } of internals.upsertStatements(dialect, table, rows, options))
    written += (await run(text, values)).count
  return written
}

/** The statement for a view of the rows that are not deleted. Safe to run again. @param view - default `<table>_live` */
export function liveView(table: string, view = `${table}_live`): string {
  return `create or replace view ${quoted(view)} as select * from ${quoted(table)} where deleted_at is null;\n`
}
