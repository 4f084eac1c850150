import { internals, type OutboxEntry } from '../app/index.ts'
import { allRows, asBuffer, changed, type SqliteDatabase } from './database.ts'
import { inLine, transaction, untilFree } from './transaction.ts'

const { quoted, shardCount } = internals
const mostCounted = 100_000

export function outboxSql(table: string): string {
  const lease = quoted(`${table}_lease`)
  const shards = Array.from({ length: shardCount }, (_, shard) => `(${shard})`).join(', ')
  return `create table if not exists ${quoted(table)} (
  seq integer primary key autoincrement, shard integer not null, id text not null,
  topic text not null, key blob, value blob, headers blob not null,
  partition integer, timestamp_ms integer not null, created_ms integer not null, failed text
);
create index if not exists "${table}_shard" on ${quoted(table)} (shard, seq);
create index if not exists "${table}_failed" on ${quoted(table)} (shard, topic, key) where failed is not null;
create table if not exists ${lease} (
  shard integer primary key, owner text, epoch integer not null default 0, until_ms integer
);
insert into ${lease} (shard) values ${shards} on conflict do nothing;
`
}

export function insertSql(table: string): string {
  return `insert into ${quoted(table)} (shard, id, topic, key, value, headers, partition, timestamp_ms, created_ms)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
}

/**
 * An outbox in SQLite, as its relay and its commands see it. On a connection that the application uses too, a transaction of
 * the application must not be looked into: everything here waits until none is open.
 */
export function sqliteOutboxStore(database: SqliteDatabase, table: string): internals.OutboxStore {
  const rows = quoted(table)
  const leases = quoted(`${table}_lease`)
  const isOpen = `o.failed is null and not exists (
    select 1 from ${rows} f where f.failed is not null and f.shard = o.shard and f.topic = o.topic
      and f.key = o.key and f.seq < o.seq)`
  const look = <R>(read: () => R): Promise<R> =>
    inLine(database, async () => {
      await untilFree(database)
      return read()
    })
  const write = <R>(run: () => R): Promise<R> => transaction(database, run)
  const chosen = (ids: readonly string[] | undefined): string =>
    ids === undefined ? '' : ' and id in (select value from json_each(?))'
  const idValues = (ids: readonly string[] | undefined): readonly unknown[] =>
    ids === undefined ? [] : [JSON.stringify(ids)]

  return {
    name: table,
    sql: outboxSql(table),
    async createTables() {
      await write(() => database.exec(outboxSql(table)))
    },
    async claim(owner, leaseMs) {
      const now = Date.now()
      const found = await write(() =>
        allRows(
          database,
          `update ${leases} set owner = ?, until_ms = ?, epoch = case when owner = ? then epoch else epoch + 1 end
           where until_ms is null or until_ms < ? or owner = ? returning shard, epoch`,
          [owner, now + leaseMs, owner, now, owner],
        ),
      )
      return found.map(({ shard, epoch }) => ({ shard: Number(shard), epoch: Number(epoch) }))
    },
    async release(owner, held) {
      await write(() => {
        for (const { shard } of held)
          changed(database, `update ${leases} set until_ms = null where owner = ? and shard = ?`, [
            owner,
            shard,
          ])
      })
    },
    read: (wanted) =>
      look(() =>
        wanted.flatMap(({ shard, limit, after }) =>
          allRows(
            database,
            `select * from ${rows} o where shard = ? and seq > ? and ${isOpen} order by seq limit ?`,
            [shard, after, limit],
          ).map(storedRow),
        ),
      ),
    remove: (done, held) =>
      write(() => {
        const epochs = new Map(
          allRows(database, `select shard, epoch from ${leases}`).map((one) => [
            Number(one['shard']),
            Number(one['epoch']),
          ]),
        )
        const ours = new Set(
          held.flatMap(({ shard, epoch }) => (epochs.get(shard) === epoch ? [shard] : [])),
        )
        let count = 0
        for (const { shard, seq } of done)
          if (ours.has(shard))
            count += changed(database, `delete from ${rows} where seq = ?`, [seq])
        return count
      }),
    async markFailed({ seq, shard }, { epoch }, reason) {
      await write(() =>
        changed(
          database,
          `update ${rows} set failed = ? where seq = ?
             and exists (select 1 from ${leases} where shard = ? and epoch = ?)`,
          [reason, seq, shard, epoch],
        ),
      )
    },
    stats: () =>
      look(() => {
        const [found = {}] = allRows(
          database,
          `select (select count(*) from (select 1 from ${rows} where failed is null limit ${mostCounted})) as waiting,
             (select count(*) from ${rows} where failed is not null) as failed,
             (select created_ms from ${rows} where failed is null order by seq limit 1) as oldest`,
        )
        const oldest = found['oldest']
        return {
          waiting: Number(found['waiting']),
          failed: Number(found['failed']),
          oldestMs: oldest === null ? 0 : Math.max(0, Date.now() - Number(oldest)),
        }
      }),
    list: ({ isFailed, limit }) =>
      look(() =>
        allRows(
          database,
          `select id, topic, key, coalesce(length(key), 0) + coalesce(length(value), 0) as bytes, created_ms, failed
           from ${rows} where failed is not null or not ? order by seq limit ?`,
          [isFailed, limit],
        ).map(entryOf),
      ),
    retry: (ids) =>
      write(() =>
        changed(
          database,
          `update ${rows} set failed = null where failed is not null${chosen(ids)}`,
          idValues(ids),
        ),
      ),
    drop: (ids) =>
      write(() =>
        changed(
          database,
          `delete from ${rows} where failed is not null${chosen(ids)}`,
          idValues(ids),
        ),
      ),
  }
}

function storedRow(row: Readonly<Record<string, unknown>>): internals.StoredRow {
  return {
    shard: Number(row['shard']),
    seq: Number(row['seq']),
    id: row['id'] as string,
    topic: row['topic'] as string,
    key: asBuffer(row['key']),
    value: asBuffer(row['value']),
    headers: asBuffer(row['headers']) ?? Buffer.alloc(4),
    partition: row['partition'] as number | null,
    timestampMs: Number(row['timestamp_ms']),
    createdMs: Number(row['created_ms']),
  }
}

function entryOf(row: Readonly<Record<string, unknown>>): OutboxEntry {
  return {
    id: row['id'] as string,
    topic: row['topic'] as string,
    key: asBuffer(row['key'])?.toString() ?? null,
    bytes: Number(row['bytes']),
    createdMs: Number(row['created_ms']),
    failed: row['failed'] as string | null,
  }
}
