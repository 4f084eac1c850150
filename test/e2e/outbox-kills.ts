/**
 * Kills the processes around an outbox with SIGKILL, in the middle of each step and at random moments, and checks that
 * database and topic tell the same story.
 *
 *     node test/e2e/outbox-kills.ts [kills] [seed]
 *
 * Two relays, one application and the embedded broker, on Postgres (where it is installed) and on SQLite. At the end: of every
 * transaction both, its row and its message, or neither; per key each message in order, repeats after their first time
 * aside.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'pg'

import { openClient } from '../../packages/millrace/src/client/index.ts'
import { sqlOutbox as postgresOutbox } from '../../packages/millrace/src/postgres/index.ts'
import { sqlOutbox as sqliteOutbox } from '../../packages/millrace/src/sqlite/index.ts'
import { noPostgres, startPostgres } from '../harness/postgres.ts'
import { startBrokerProcess, type BrokerProcess } from '../harness/start-broker-process.ts'
import { until } from '../harness/until.ts'
import { entities, steps, type ChildOptions } from './outbox-child.ts'

interface Place extends AsyncDisposable {
  readonly name: string
  readonly forChildren: ChildOptions['place']
  readonly waiting: () => Promise<number>
  /** `entity/n` of each row, in order of n. */
  readonly rows: () => Promise<readonly string[]>
}

async function killLoop(place: Place, kills: number, random: () => number): Promise<void> {
  const startedMs = performance.now()
  await using broker = await startBrokerProcess()
  await createTopic(broker)
  await using children = new Children(place, broker.brokers, random)
  for (const name of ['app', 'relay', 'second relay']) children.start(name)
  const counts = new Map<string, number>()
  for (let done = 0; done < kills; done++) {
    await wait(random() * 900)
    const pick = random()
    const victim =
      pick < 0.15 ? 'broker' : pick < 0.55 ? 'app' : pick < 0.8 ? 'relay' : 'second relay'
    const where = victim === 'broker' ? 'broker' : await children.killAndStart(victim)
    if (victim === 'broker') await broker.killAndStart()
    counts.set(where, (counts.get(where) ?? 0) + 1)
  }
  await children.end('app')
  for (const name of ['relay', 'second relay']) await children.restart(name)
  await until('the outbox is empty', async () => (await place.waiting()) === 0, {
    deadline: 60_000,
    lastSeen: () => counts,
  })
  const { messages, repeats } = await check(place, broker)
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  console.log(
    `${place.name}: ${kills} kills in ${seconds} s, ${messages} transactions, each once in the table and in the topic, in order; ${repeats} came again`,
  )
  console.log(`  ${[...counts].map(([where, count]) => `${where} ${count}`).join(', ')}`)
}

async function check(
  place: Place,
  broker: BrokerProcess,
): Promise<{ readonly messages: number; readonly repeats: number }> {
  const seen = new Set<string>()
  const order = new Map<number, number>()
  const ids = new Map<string, string>()
  let all = 0
  await using client = openClient({ brokers: broker.brokers })
  for await (const { value, headers } of client.reader({
    topics: ['orders'],
    from: 'earliest',
    to: 'end',
  })) {
    all++
    const { entity, n } = JSON.parse(String(value)) as { entity: number; n: number }
    const name = `${entity}/${n}`
    const id = headers.find(([header]) => header === 'millrace-id')?.[1]?.toString() ?? ''
    if (ids.has(name) && ids.get(name) !== id) throw new Error(`${name} has two ids`)
    ids.set(name, id)
    if (seen.has(name)) continue
    seen.add(name)
    const before = order.get(entity) ?? 0
    if (n !== before + 1) throw new Error(`${name} came after ${entity}/${before}`)
    order.set(entity, n)
  }
  const rows = await place.rows()
  const missing = rows.filter((row) => !seen.has(row))
  if (missing.length > 0) throw new Error(`rows without a message: ${missing.join(', ')}`)
  if (seen.size !== rows.length) {
    const known = new Set(rows)
    const odd = [...seen].filter((name) => !known.has(name))
    throw new Error(`messages without a row: ${odd.join(', ')}`)
  }
  if (rows.length === 0) throw new Error('no transaction was made')
  return { messages: rows.length, repeats: all - seen.size }
}

/** Processes that are started again when they die. */
class Children implements AsyncDisposable {
  readonly #place: Place
  readonly #brokers: readonly string[]
  readonly #random: () => number
  readonly #running = new Map<string, { readonly child: ChildProcess; readonly step?: string }>()

  constructor(place: Place, brokers: readonly string[], random: () => number) {
    this.#place = place
    this.#brokers = brokers
    this.#random = random
  }

  start(name: string, mayDie = true): void {
    const role = name === 'app' ? 'app' : 'relay'
    const all = steps[role]
    const step = all[Math.floor(this.#random() * all.length)]
    const isPlanned = mayDie && step !== undefined && this.#random() < 0.6
    const count = 1 + Math.floor(this.#random() * (role === 'app' ? 15 : 5))
    const dieAt = isPlanned ? { step, count } : undefined
    const options: ChildOptions = {
      role,
      place: this.#place.forChildren,
      brokers: this.#brokers,
      dieAt,
    }
    const program = join(import.meta.dirname, 'outbox-child.ts')
    const child = fork(program, [JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#running.set(name, isPlanned ? { child, step: `${role} at ${step}` } : { child })
  }

  /** Where it died: at the step that it was told, or at any moment. */
  async killAndStart(name: string): Promise<string> {
    const { child, step } = this.#running.get(name) ?? {}
    if (child === undefined) throw new Error(`there is no ${name}`)
    if (step !== undefined && child.signalCode === null)
      await Promise.race([once(child, 'exit'), wait(1500)])
    const isByItself = child.signalCode !== null
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`)
    await this.end(name)
    this.start(name)
    return isByItself ? (step ?? name) : `${name.replace('second ', '')} at random`
  }

  async restart(name: string): Promise<void> {
    await this.end(name)
    this.start(name, false)
  }

  async end(name: string): Promise<void> {
    const child = this.#running.get(name)?.child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#running.keys()) await this.end(name)
  }
}

async function createTopic({ brokers }: BrokerProcess): Promise<void> {
  await using client = openClient({ brokers })
  await client.admin.createTopics([{ name: 'orders', partitions: 3 }])
}

const tables = `create table entities (id integer primary key, n integer not null);
create table orders (entity integer not null, n integer not null, primary key (entity, n));`
const zeros = Array.from({ length: entities }, (_, id) => `(${id}, 0)`).join(', ')
const allRows = 'select entity, n from orders order by entity, n'

async function openPostgres(): Promise<Place> {
  const server = await startPostgres()
  const pool: Pool = server.pool
  const outbox = postgresOutbox(pool)
  await outbox.createTables()
  await pool.query(`${tables} insert into entities values ${zeros}`)
  return {
    name: 'Postgres',
    forChildren: { postgres: server.connection },
    waiting: async () => (await outbox.stats()).waiting,
    rows: async () =>
      (await pool.query<{ entity: number; n: number }>(allRows)).rows.map(
        ({ entity, n }) => `${entity}/${n}`,
      ),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function openSqlite(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-outbox-'))
  const file = join(folder, 'app.db')
  const database = new DatabaseSync(file)
  database.exec(`pragma journal_mode = wal; pragma synchronous = off; ${tables}`)
  database.exec(`insert into entities values ${zeros}`)
  const outbox = sqliteOutbox(database)
  await outbox.createTables()
  return {
    name: 'SQLite',
    forChildren: { file },
    waiting: async () => (await outbox.stats()).waiting,
    rows: () =>
      Promise.resolve(
        database
          .prepare(allRows)
          .all()
          .map(({ entity, n }) => `${String(entity)}/${String(n)}`),
      ),
    async [Symbol.asyncDispose]() {
      database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

if (import.meta.main) {
  const [kills = '200', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2)
  console.log(`${kills} kills, seed ${seed}`)
  const random = randomFrom(Number(seed))
  const opened = noPostgres === undefined ? [openPostgres, openSqlite] : [openSqlite]
  if (noPostgres !== undefined) console.log(noPostgres)
  for (const open of opened) {
    await using place = await open()
    await killLoop(place, Math.ceil(Number(kills) / opened.length), random)
  }
}
