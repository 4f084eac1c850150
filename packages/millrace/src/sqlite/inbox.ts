import { internals, type Inbox, type InboxOptions } from '../app/index.ts'
import { allRows, changed, type SqliteDatabase } from './database.ts'
import { transaction } from './transaction.ts'

const { quoted } = internals

/**
 * An inbox in SQLite: makes a consumer idempotent. SQLite has one writer, so its handlers run one at a time, whatever
 * `concurrency` says; keep what waits for other systems out of them.
 *
 * @param database - a connection of `node:sqlite` or `better-sqlite3`
 * @throws MR_SQL_NAME_INVALID
 */
export function sqlInbox<D extends SqliteDatabase>(
  database: D,
  options: InboxOptions = {},
): Inbox<D> {
  const name = options.table ?? internals.defaultInboxTable
  const table = quoted(name)
  const sql = `create table if not exists ${table} (
  consumer_group text not null, id text not null, at_ms integer not null, primary key (consumer_group, id)
) without rowid;
create index if not exists "${name}_at" on ${table} (at_ms);
`
  const keepMs = internals.keepMsOf(options)
  return {
    kind: 'inbox',
    name,
    sql,
    idOf: options.id ?? internals.idOf,
    transaction: (run) => transaction(database, run),
    async createTables() {
      await transaction(database, () => void database.exec(sql))
    },
    async remember(tx, group, ids) {
      const rows = allRows(
        tx,
        `insert into ${table} (consumer_group, id, at_ms) select ?, value, ? from json_each(?) where true
         on conflict do nothing returning id`,
        [group, Date.now(), JSON.stringify(ids)],
      )
      return new Set(rows.map(({ id }) => id as string))
    },
    async forget(tx, group, ids) {
      changed(
        tx,
        `delete from ${table} where consumer_group = ? and id in (select value from json_each(?))`,
        [group, JSON.stringify(ids)],
      )
    },
    async prune() {
      if (keepMs === undefined) return 0
      let all = 0
      for (;;) {
        const count = await transaction(database, () =>
          changed(
            database,
            `delete from ${table} where (consumer_group, id) in
               (select consumer_group, id from ${table} where at_ms < ? limit ?)`,
            [Date.now() - keepMs, internals.pruneRows],
          ),
        )
        all += count
        if (count < internals.pruneRows) return all
      }
    },
  }
}
