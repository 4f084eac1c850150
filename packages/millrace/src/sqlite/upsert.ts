import { internals, type UpsertOptions, type UpsertRow } from '../app/index.ts'
import { changed, type SqliteDatabase } from './database.ts'

const { quoted } = internals
const dialect: internals.Dialect = {
  parameter: () => '?',
  mostValues: 30_000,
  now: "strftime('%Y-%m-%dT%H:%M:%fZ')",
}

/**
 * Writes rows whose version is newer than what the table has, and leaves the others as they are: messages that come twice, or
 * in another order, end in the same table. The key needs a unique index; the table a column `version integer not null` and
 * one `deleted_at text`. Done when it returns; `await` does no harm.
 *
 * @returns how many rows were written; the others were older, or the same
 * @throws MR_UPSERT_ROW_INVALID, MR_SQL_NAME_INVALID
 */
export function upsert<R extends UpsertRow>(
  tx: SqliteDatabase,
  table: string,
  rows: readonly R[],
  options: UpsertOptions<R>,
): number {
  let written = 0
  for (const { text, values } of internals.upsertStatements(dialect, table, rows, options))
    written += changed(tx, text, values)
  return written
}

/** The statement for a view of the rows that are not deleted. Safe to run again. @param view - default `<table>_live` */
export function liveView(table: string, view = `${table}_live`): string {
  return `create view if not exists ${quoted(view)} as select * from ${quoted(table)} where deleted_at is null;\n`
}
