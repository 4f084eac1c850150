import { internals, type Inbox, type InboxOptions } from '../app/index.ts'
import { runnerOf, type RunSql } from './run-sql.ts'
import {
  outlive,
  runOnce,
  transaction,
  type PostgresDatabase,
  type TransactionOf,
} from './transaction.ts'

const { quoted } = internals

/**
 * An inbox in Postgres: makes a consumer idempotent. Each attempt takes one connection of the pool for as long as its handler
 * runs, so let the pool be larger than `worker.concurrency`.
 *
 * @throws MR_SQL_NAME_INVALID
 * @example
 * const pool = new Pool()
 * const accounts = defineConsumer({
 *   topic: users,
 *   group: 'accounts',
 *   inbox: sqlInbox(pool),
 *   async each({ value }, { tx }) {
 *     await tx.query('insert into accounts (id) values ($1)', [value.id])
 *   },
 * })
 */
export function sqlInbox<D extends PostgresDatabase>(
  database: D,
  options: InboxOptions = {},
): Inbox<TransactionOf<D>> {
  outlive(database)
  const name = options.table ?? internals.defaultInboxTable
  const table = quoted(name)
  const index = `"${name.split('.').at(-1) ?? name}_at"`
  const sql = `create table if not exists ${table} (
  consumer_group text not null, id text not null, at timestamptz not null default clock_timestamp(),
  primary key (consumer_group, id)
);
create index if not exists ${index} on ${table} using brin (at);
`
  const keepMs = internals.keepMsOf(options)
  const on = (tx: TransactionOf<D>): RunSql => runnerOf(tx)
  return {
    kind: 'inbox',
    name,
    sql,
    idOf: options.id ?? internals.idOf,
    transaction: (run) => transaction(database, run),
    createTables: () => runOnce(database, sql),
    async remember(tx, group, ids) {
      // Sorted, so that two batches with the same ids wait for each other instead of locking each other out.
      const { rows } = await on(tx)(
        `insert into ${table} (consumer_group, id) select $1, id from unnest($2::text[]) as given(id)
         order by id on conflict do nothing returning id`,
        [group, ids],
      )
      return new Set(rows.map(({ id }) => id as string))
    },
    async forget(tx, group, ids) {
      await on(tx)(`delete from ${table} where consumer_group = $1 and id = any($2::text[])`, [
        group,
        ids,
      ])
    },
    async prune() {
      if (keepMs === undefined) return 0
      let all = 0
      for (;;) {
        const count = await transaction(database, async (tx) => {
          const deleted = await on(tx)(
            `delete from ${table} where ctid = any(array(select ctid from ${table}
               where at < clock_timestamp() - $1 * interval '1 millisecond' limit $2))`,
            [keepMs, internals.pruneRows],
          )
          return deleted.count
        })
        all += count
        if (count < internals.pruneRows) return all
      }
    },
  }
}
