/**
 * One process of the outbox's kill test, told by a JSON argument: the application, whose transactions change an entity, write
 * a row and queue a message; or a relay. It may be told to kill itself with SIGKILL when it comes to a step for the n-th time.
 */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'pg'

import {
  defineConfig,
  defineTopic,
  json,
  startRelay,
  type OutboxCore,
} from '../../packages/millrace/src/app/index.ts'
import * as postgres from '../../packages/millrace/src/postgres/index.ts'
import * as sqlite from '../../packages/millrace/src/sqlite/index.ts'

export const steps = {
  app: ['begin', 'change', 'insert', 'queue', 'commit'],
  relay: ['lease', 'read', 'delete', 'deleted'],
} as const

export interface ChildOptions {
  readonly role: keyof typeof steps
  readonly place: { readonly file: string } | { readonly postgres: object }
  readonly brokers: readonly string[]
  readonly dieAt?: { readonly step: string; readonly count: number } | undefined
}

const orders = defineTopic('orders', {
  value: json<{ readonly entity: number; readonly n: number }>(),
  partitions: 3,
})
export const entities = 12

class RollBack extends Error {}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as ChildOptions
  // Whoever started it has ended.
  process.on('disconnect', () => process.exit())
  if ('file' in options.place) await onSqlite(options, options.place.file)
  else await onPostgres(options, options.place.postgres)
}

function stepCounter({ dieAt }: ChildOptions): (step: string) => void {
  let left = dieAt?.count ?? 0
  return (step) => {
    if (step === dieAt?.step && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
}

async function onPostgres(options: ChildOptions, connection: object): Promise<void> {
  const at = stepCounter(options)
  const pool = new Pool({ ...connection, max: 8 })
  const outbox = postgres.sqlOutbox(pool)
  if (options.role === 'relay') {
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as (
        text: unknown,
        values?: unknown,
      ) => Promise<object>
      client.query = (async (text: unknown, values?: unknown) => {
        const kind = typeof text === 'string' ? kindOf(text) : undefined
        if (kind !== undefined) at(kind)
        const result = await query(text, values)
        if (kind === 'delete') at('deleted')
        return result
      }) as never
    })
    await relay(outbox, options)
    return
  }
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (;;) {
        const entity = Math.floor(Math.random() * entities)
        await postgres
          .transaction(pool, async (tx) => {
            at('begin')
            const text = 'update entities set n = n + 1 where id = $1 returning n'
            const n = (await tx.query(text, [entity])).rows[0].n as number
            at('change')
            await tx.query('insert into orders (entity, n) values ($1, $2)', [entity, n])
            at('insert')
            await outbox.send(tx, orders, { key: String(entity), value: { entity, n } })
            at('queue')
            if (Math.random() < 0.1) throw new RollBack()
          })
          .catch(ignored)
        at('commit')
        await wait(Math.random() * 40)
      }
    }),
  )
}

async function onSqlite(options: ChildOptions, file: string): Promise<void> {
  const at = stepCounter(options)
  const database = new DatabaseSync(file)
  database.exec('pragma busy_timeout = 0; pragma synchronous = off')
  const outbox = sqlite.sqlOutbox(database)
  if (options.role === 'relay') {
    const prepare = database.prepare.bind(database)
    database.prepare = (text: string) => {
      const kind = kindOf(text)
      const statement = prepare(text)
      if (kind === undefined) return statement
      return {
        all(...values: never[]) {
          at(kind)
          return statement.all(...values)
        },
        run(...values: never[]) {
          at(kind)
          const result = statement.run(...values)
          if (kind === 'delete') at('deleted')
          return result
        },
      } as never
    }
    await relay(outbox, options)
    return
  }
  for (;;) {
    const entity = Math.floor(Math.random() * entities)
    await sqlite
      .transaction(database, async () => {
        at('begin')
        const row = database
          .prepare('update entities set n = n + 1 where id = ? returning n')
          .get(entity)
        const n = Number(row?.['n'])
        at('change')
        database.prepare('insert into orders (entity, n) values (?, ?)').run(entity, n)
        at('insert')
        outbox.send(database, orders, { key: String(entity), value: { entity, n } })
        at('queue')
        if (Math.random() < 0.2) await wait(1)
        if (Math.random() < 0.1) throw new RollBack()
      })
      .catch(ignored)
    at('commit')
    await wait(Math.random() * 10)
  }
}

function ignored(error: unknown): void {
  if (!(error instanceof RollBack)) throw error
}

function kindOf(text: string): string | undefined {
  if (/update "millrace_outbox_lease"/.test(text)) return 'lease'
  if (/^\s*select (o\.)?\*/.test(text)) return 'read'
  return /^\s*delete from "millrace_outbox"/.test(text) ? 'delete' : undefined
}

async function relay(outbox: OutboxCore, { brokers }: ChildOptions): Promise<void> {
  const config = defineConfig({ brokers: [...brokers] })
  await startRelay(outbox.relay({ lease: '2s', poll: '100ms' }), config)
  await new Promise(() => setInterval(() => {}, 60_000))
}
