import { EventEmitter } from 'node:events'

import { internals, type OutboxEntry, type OutboxStats } from '../app/index.ts'
import { hearErrors, runOnce, type PgPool } from './transaction.ts'
import type { SqlResult } from './run-sql.ts'

const { quoted, shardCount } = internals
/** Counting more would cost more than anybody learns from it. */
const mostCounted = 100_000

/** Its tables, made again without harm. Rows come and go, so they are vacuumed by their number, not by the table's size. */
export function outboxSql(table: string): string {
  const lease = quoted(`${table}_lease`)
  const index = (suffix: string): string => `"${(table.split('.').at(-1) ?? table) + suffix}"`
  return `create table if not exists ${quoted(table)} (
  shard smallint not null, seq bigint generated always as identity, id uuid not null,
  topic text not null, key bytea, value bytea, headers bytea not null,
  partition integer, timestamp_ms bigint not null,
  created_at timestamptz not null default clock_timestamp(), failed text,
  primary key (shard, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create index if not exists ${index('_failed')} on ${quoted(table)} (shard, topic, key) where failed is not null;
create table if not exists ${lease} (
  shard smallint primary key, owner text, epoch bigint not null default 0, until timestamptz
);
insert into ${lease} (shard) select generate_series(0, ${shardCount - 1}) on conflict do nothing;
`
}

export function insertSql(table: string): string {
  return `insert into ${quoted(table)} (shard, id, topic, key, value, headers, partition, timestamp_ms)
    values ($1, $2, $3, $4, $5, $6, $7, $8)`
}

/** An outbox in Postgres, as its relay and its commands see it: over the pool, never in a transaction of the application. */
export function postgresOutboxStore(pool: PgPool, table: string): internals.OutboxStore {
  const rows = quoted(table)
  const leases = quoted(`${table}_lease`)
  const channel = quoted(`${table.replaceAll('.', '_')}_bell`)
  const isOpen = `o.failed is null and not exists (
    select 1 from ${rows} f where f.failed is not null and f.shard = o.shard and f.topic = o.topic
      and f.key = o.key and f.seq < o.seq)`

  const run = async (text: string, values: readonly unknown[] = []): Promise<SqlResult> => {
    const client = await pool.connect()
    const unhear = hearErrors(client)
    let broken: Error | undefined
    try {
      const { rows: found, rowCount } = await client.query(text, [...values])
      return { rows: found as SqlResult['rows'], count: rowCount ?? 0 }
    } catch (error) {
      // A fault that the server told leaves the connection well; it has a code of five characters.
      if ((error as { readonly code?: string }).code?.length !== 5) broken = error as Error
      throw error
    } finally {
      unhear()
      client.release(broken)
    }
  }
  const some = (ids: readonly string[] | undefined): readonly unknown[] => [ids ?? null]

  return {
    name: table,
    sql: outboxSql(table),
    createTables: () => runOnce(pool, outboxSql(table)),
    async claim(owner, leaseMs) {
      const { rows: found } = await run(
        `with free as (
           select shard from ${leases}
           where until is null or until < clock_timestamp() or owner = $1
           order by shard for update skip locked)
         update ${leases} l set owner = $1, until = clock_timestamp() + $2 * interval '1 millisecond',
           epoch = case when l.owner = $1 then l.epoch else l.epoch + 1 end
         from free where l.shard = free.shard returning l.shard, l.epoch`,
        [owner, leaseMs],
      )
      return found.map(({ shard, epoch }) => ({ shard: Number(shard), epoch: Number(epoch) }))
    },
    async release(owner, held) {
      await run(
        `update ${leases} set until = null where owner = $1 and shard = any($2::smallint[])`,
        [owner, held.map(({ shard }) => shard)],
      )
    },
    async read(wanted) {
      const { rows: found } = await run(
        `select o.* from unnest($1::smallint[], $2::integer[], $3::bigint[]) as w(shard, most, floor)
         cross join lateral (
           select o.shard, o.seq, o.id, o.topic, o.key, o.value, o.headers, o.partition, o.timestamp_ms,
             extract(epoch from o.created_at) * 1000 as created_ms
           from ${rows} o where o.shard = w.shard and o.seq > w.floor and ${isOpen} order by o.seq limit w.most) o`,
        [
          wanted.map(({ shard }) => shard),
          wanted.map(({ limit }) => limit),
          wanted.map(({ after }) => after),
        ],
      )
      return found.map(storedRow)
    },
    async remove(done, held) {
      const epochByShard = new Map(held.map(({ shard, epoch }) => [shard, epoch]))
      const { count } = await run(
        `delete from ${rows} o using unnest($1::smallint[], $2::bigint[], $3::bigint[]) as d(shard, seq, epoch)
         join ${leases} l on l.shard = d.shard and l.epoch = d.epoch
         where o.shard = d.shard and o.seq = d.seq`,
        [
          done.map(({ shard }) => shard),
          done.map(({ seq }) => seq),
          done.map(({ shard }) => epochByShard.get(shard)),
        ],
      )
      return count
    },
    async markFailed({ shard, seq }, { epoch }, reason) {
      await run(
        `update ${rows} o set failed = $3 from ${leases} l
         where o.shard = $1 and o.seq = $2 and l.shard = o.shard and l.epoch = $4`,
        [shard, seq, reason, epoch],
      )
    },
    async stats(): Promise<OutboxStats> {
      const { rows: found } = await run(
        `select (select count(*) from (select 1 from ${rows} where failed is null limit ${mostCounted}) w) as waiting,
           (select count(*) from ${rows} where failed is not null) as failed,
           (select extract(epoch from clock_timestamp() - min(created_at)) * 1000 from ${leases} l cross join lateral (
             select created_at from ${rows} o where o.shard = l.shard and failed is null order by seq limit 1) first
           ) as oldest_ms`,
      )
      const { waiting, failed, oldest_ms: oldestMs } = found[0] ?? {}
      return {
        waiting: Number(waiting ?? 0),
        failed: Number(failed ?? 0),
        oldestMs: Math.max(0, Number(oldestMs ?? 0)),
      }
    },
    async list({ isFailed, limit }) {
      const { rows: found } = await run(
        `select id, topic, key, coalesce(length(key), 0) + coalesce(length(value), 0) as bytes,
           extract(epoch from created_at) * 1000 as created_ms, failed
         from ${rows} where failed is not null or not $1 order by seq limit $2`,
        [isFailed, limit],
      )
      return found.map(entryOf)
    },
    async retry(ids) {
      const sql = `update ${rows} set failed = null where failed is not null and ($1::uuid[] is null or id = any($1))`
      return (await run(sql, some(ids))).count
    },
    async drop(ids) {
      const sql = `delete from ${rows} where failed is not null and ($1::uuid[] is null or id = any($1))`
      return (await run(sql, some(ids))).count
    },
    async notify() {
      await run(`notify ${channel}`)
    },
    async listen(ring, onLost) {
      const client = await pool.connect()
      const unhear = hearErrors(client, onLost)
      const onEnd = (): void => onLost(new Error('the connection has ended'))
      const emitter = client instanceof EventEmitter ? client : undefined
      emitter?.on('notification', ring)
      emitter?.on('end', onEnd)
      const end = (): void => {
        emitter?.off('notification', ring)
        emitter?.off('end', onEnd)
        unhear()
        // It still listens, so nobody else may have it.
        client.release(true)
      }
      try {
        await client.query(`listen ${channel}`)
      } catch (error) {
        end()
        throw error
      }
      return end
    },
  }
}

function storedRow(row: Readonly<Record<string, unknown>>): internals.StoredRow {
  return {
    shard: row['shard'] as number,
    seq: Number(row['seq']),
    id: row['id'] as string,
    topic: row['topic'] as string,
    key: row['key'] as Buffer | null,
    value: row['value'] as Buffer | null,
    headers: row['headers'] as Buffer,
    partition: row['partition'] as number | null,
    timestampMs: Number(row['timestamp_ms']),
    createdMs: Number(row['created_ms']),
  }
}

function entryOf(row: Readonly<Record<string, unknown>>): OutboxEntry {
  return {
    id: row['id'] as string,
    topic: row['topic'] as string,
    key: (row['key'] as Buffer | null)?.toString() ?? null,
    bytes: Number(row['bytes']),
    createdMs: Number(row['created_ms']),
    failed: row['failed'] as string | null,
  }
}
