import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { after, before, describe, it } from 'node:test'

import type { PoolClient } from 'pg'

import { defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { outboxStoreContract } from '../../../packages/millrace/src/app/outbox/outbox-store.contract.ts'
import type { NewRow } from '../../../packages/millrace/src/app/outbox/store.ts'
import {
  insertSql as postgresInsert,
  postgresOutboxStore,
} from '../../../packages/millrace/src/postgres/outbox-store.ts'
import { sqlOutbox, transaction } from '../../../packages/millrace/src/postgres/index.ts'
import { changed } from '../../../packages/millrace/src/sqlite/database.ts'
import {
  insertSql as sqliteInsert,
  sqliteOutboxStore,
} from '../../../packages/millrace/src/sqlite/outbox-store.ts'
import { noPostgres, startPostgres, type PostgresServer } from '../../harness/postgres.ts'

const valuesOf = (row: NewRow): unknown[] => {
  const { shard, id, topic, key, value, headers, partition, timestampMs } = row
  return [shard, id, topic, key, value, headers, partition, timestampMs]
}

outboxStoreContract('SQLite', async () => {
  const database = new DatabaseSync(':memory:')
  const store = sqliteOutboxStore(database, 'outbox')
  await store.createTables()
  return {
    store,
    insert: (row) =>
      Promise.resolve(changed(database, sqliteInsert('outbox'), [...valuesOf(row), Date.now()])),
    pass: (ms) => wait(ms),
    [Symbol.asyncDispose]: () => Promise.resolve(database.close()),
  }
})

describe('in Postgres', { skip: noPostgres ?? false }, () => {
  let server: PostgresServer
  let tables = 0
  before(async () => {
    server = await startPostgres()
  })
  after(() => server?.[Symbol.asyncDispose]())

  outboxStoreContract('Postgres', async () => {
    const table = `outbox_${++tables}`
    const { pool } = server
    const store = postgresOutboxStore(pool, table)
    await store.createTables()
    return {
      store,
      insert: (row) => pool.query(postgresInsert(table), valuesOf(row)),
      pass: (ms) => wait(ms),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  })

  it('finds a row of a transaction that commits after ones with higher numbers', async () => {
    const { pool } = server
    const outbox = sqlOutbox(pool, { table: 'late' })
    const store = postgresOutboxStore(pool, 'late')
    await outbox.createTables()
    const topic = defineTopic('orders')
    const slow = await pool.connect()
    await slow.query('begin')
    await outbox.send(slow, topic, { key: 'a', value: 'first' })
    await outbox.send(pool, topic, { key: 'b', value: 'second' })
    const all = Array.from({ length: 8 }, (_, shard) => ({ shard, limit: 10, after: 0 }))
    const [second, ...none] = await store.read(all)
    assert.equal(second?.value?.toString(), '"second"')
    assert.deepEqual(none, [])
    const leases = await store.claim('relay', 10_000)
    assert.ok(second)
    await store.remove([second], leases)
    await slow.query('commit')
    slow.release()
    const [first] = await store.read(all)
    assert.equal(first?.value?.toString(), '"first"')
    assert.ok(first.seq < second.seq)
  })

  it('makes its tables from several processes at once', async () => {
    const { pool } = server
    await Promise.all(
      Array.from({ length: 10 }, () => sqlOutbox(pool, { table: 'raced' }).createTables()),
    )
    const { rows } = await pool.query('select count(*)::int as shards from raced_lease')
    assert.deepEqual(rows, [{ shards: 8 }])
  })

  it('takes no commit for one that was a rollback, whatever library made it', async () => {
    const { pool } = server
    await pool.query('create table kept (id integer)')
    // As Drizzle does: begin, the function, commit, and no look at what the commit answered.
    const careless = {
      async transaction<R>(run: (tx: PoolClient) => Promise<R>): Promise<R> {
        const client = await pool.connect()
        try {
          await client.query('begin')
          const result = await run(client)
          await client.query('commit')
          return result
        } catch (error) {
          await client.query('rollback')
          throw error
        } finally {
          client.release()
        }
      },
    }
    for (const database of [pool, careless])
      await assert.rejects(
        transaction<typeof careless, unknown>(database as typeof careless, async (tx) => {
          await tx.query('insert into kept values (1)')
          await tx.query('select nonsense').catch(() => {})
        }),
        { code: 'MR_SQL_ROLLED_BACK' },
      )
    assert.equal((await pool.query('select * from kept')).rowCount, 0)
    const done = await transaction<typeof careless, string>(careless, async (tx) => {
      await tx.query('insert into kept values (1)')
      return 'done'
    })
    assert.equal(done, 'done')
    assert.equal((await pool.query('select * from kept')).rowCount, 1)
  })

  it('takes the transactions of other libraries by their shape', async () => {
    const { pool } = server
    const outbox = sqlOutbox(pool, { table: 'shapes' })
    await outbox.createTables()
    const topic = defineTopic('orders')
    const run = (text: string, values: readonly unknown[]) => pool.query(text, [...values])
    type Any = readonly unknown[]
    const postgresJs = Object.assign(() => {}, {
      unsafe: async (text: string, values: Any) => (await run(text, values)).rows,
    })
    const prisma = {
      $queryRawUnsafe: async (text: string, ...values: Any) => (await run(text, values)).rows,
    }
    const kysely = {
      executeQuery: async ({ sql, parameters }: { sql: string; parameters: Any }) => {
        const { rows, rowCount } = await run(sql, parameters)
        return { rows, numAffectedRows: BigInt(rowCount ?? 0) }
      },
    }
    const drizzle = {
      execute: (query: { getSQL(): { toQuery(): { sql: string; params: Any } } }) => {
        const { sql, params } = query.getSQL().toQuery()
        return run(sql, params)
      },
    }
    for (const tx of [postgresJs, prisma, kysely, drizzle, run])
      await outbox.send(tx as never, topic, { key: 'a', value: 1 })
    assert.equal((await outbox.stats()).waiting, 5)
    await assert.rejects(outbox.send({} as never, topic, { value: 1 }), {
      code: 'MR_SQL_HANDLE_UNKNOWN',
    })
  })
})
