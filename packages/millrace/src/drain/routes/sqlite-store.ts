/**
 * Route metrics in one SQLite file. A batch is one transaction, position included; the write-ahead log keeps
 * readers of other processes going. After a power cut the last transactions may be missing together with their
 * position, and are then counted again from the topic.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'

import { failure } from '../../errors/index.ts'
import { systemClock, type Clock } from '../../kit/index.ts'
import { mergeRule, total, type RouteCell } from './fold.ts'
import {
  defaultLimits,
  otherRoute,
  type ApplyResult,
  type MinuteQuery,
  type RouteBatch,
  type RouteLimits,
  type RouteStore,
} from './store.ts'

export interface SqliteStoreOptions {
  /** The folder of `routes.sqlite`; it is made. Undefined keeps everything in memory. */
  readonly folder?: string
  readonly limits?: Partial<RouteLimits>
  readonly clock?: Clock
  /** For looking only: fails when there is nothing yet. */
  readonly isReadOnly?: boolean
}

const schema = `
  CREATE TABLE IF NOT EXISTS fence (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS cell (
    app TEXT NOT NULL, minute INTEGER NOT NULL, route TEXT NOT NULL, field TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (app, minute, route, field)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS path (
    app TEXT NOT NULL, path TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (app, path)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS route (app TEXT NOT NULL, route TEXT NOT NULL, PRIMARY KEY (app, route)) WITHOUT ROWID;
  PRAGMA user_version = 1;
`

interface CellRow {
  readonly app: string
  readonly route: string
  readonly minute: number
  readonly field: string
  readonly value: number
}

/** @throws MR_ROUTES_STORE_OPEN */
export function openSqliteStore(options: SqliteStoreOptions = {}): RouteStore {
  const where = options.folder === undefined ? ':memory:' : join(options.folder, 'routes.sqlite')
  try {
    if (options.folder !== undefined && options.isReadOnly !== true) {
      mkdirSync(options.folder, { recursive: true })
    }
    const database = new DatabaseSync(where, {
      readOnly: options.isReadOnly === true,
      timeout: 5_000,
    })
    if (options.isReadOnly !== true) {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
      database.exec(schema)
    }
    return new SqliteStore(
      database,
      { ...defaultLimits, ...options.limits },
      options.clock ?? systemClock,
    )
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw failure('MR_ROUTES_STORE_OPEN', { where, reason }, { cause })
  }
}

class SqliteStore implements RouteStore {
  readonly #database: DatabaseSync
  readonly #limits: RouteLimits
  readonly #clock: Clock
  readonly #statements = new Map<string, StatementSync>()
  #prunedMinute = 0

  constructor(database: DatabaseSync, limits: RouteLimits, clock: Clock) {
    this.#database = database
    this.#limits = limits
    this.#clock = clock
  }

  position(fence: string): Promise<number | null> {
    return Promise.resolve(this.#position(fence))
  }

  async apply(fence: string, batch: RouteBatch): Promise<ApplyResult> {
    await Promise.resolve()
    // Immediate: the position is read under the lock under which it will be moved.
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const position = this.#position(fence)
      if (position !== batch.from) {
        this.#database.exec('ROLLBACK')
        return { isApplied: false, position }
      }
      this.#addCells(batch)
      this.#addPaths(batch)
      this.#prune()
      this.#run(
        'INSERT INTO fence VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position',
      ).run(fence, batch.to)
      this.#database.exec('COMMIT')
      return { isApplied: true }
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  totals(): Promise<readonly RouteCell[]> {
    const rows = this.#run('SELECT * FROM cell WHERE minute = ? ORDER BY app, route').all(total)
    return Promise.resolve(cellsOf(rows as unknown as readonly CellRow[]))
  }

  minutes({ fromMinute, toMinute, app, route }: MinuteQuery): Promise<readonly RouteCell[]> {
    const rows = this.#run(
      `SELECT * FROM cell WHERE minute >= ? AND minute < ? AND (? IS NULL OR app = ?) AND (? IS NULL OR route = ?)
       ORDER BY app, minute, route`,
    ).all(Math.max(0, fromMinute), toMinute, app ?? null, app ?? null, route ?? null, route ?? null)
    return Promise.resolve(cellsOf(rows as unknown as readonly CellRow[]))
  }

  paths(): Promise<ReadonlyMap<string, number>> {
    const rows = this.#run('SELECT path, sum(n) AS n FROM path GROUP BY path').all()
    const paths = new Map<string, number>()
    for (const row of rows) paths.set(String(row['path']), Number(row['n']))
    return Promise.resolve(paths)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve()
    if (this.#database.isOpen) this.#database.close()
  }

  #position(fence: string): number | null {
    const row = this.#run('SELECT position FROM fence WHERE name = ?').get(fence)
    return row === undefined ? null : Number(row['position'])
  }

  #addCells(batch: RouteBatch): void {
    const names = new Map<string, string>()
    const statements = {
      add: this.#upsert('value + excluded.value'),
      min: this.#upsert('min(value, excluded.value)'),
      max: this.#upsert('max(value, excluded.value)'),
    }
    for (const { app, route, minute, fields } of batch.cells) {
      const key = `${app}\n${route}`
      let name = names.get(key)
      if (name === undefined) names.set(key, (name = this.#admitRoute(app, route)))
      for (const [field, value] of fields) {
        statements[mergeRule(field)].run(app, minute, name, field, value)
      }
    }
  }

  #admitRoute(app: string, route: string): string {
    if (this.#run('SELECT 1 FROM route WHERE app = ? AND route = ?').get(app, route)) return route
    const count = this.#run('SELECT count(*) AS n FROM route WHERE app = ?').get(app)
    if (Number(count?.['n'] ?? 0) >= this.#limits.routesPerApp) return otherRoute
    this.#run('INSERT INTO route VALUES (?, ?)').run(app, route)
    return route
  }

  #addPaths(batch: RouteBatch): void {
    const update = this.#run('UPDATE path SET n = n + ? WHERE app = ? AND path = ?')
    const insert = this.#run(
      'INSERT INTO path VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n',
    )
    for (const [app, counts] of batch.paths) {
      const row = this.#run('SELECT count(*) AS n FROM path WHERE app = ?').get(app)
      let known = Number(row?.['n'] ?? 0)
      for (const [path, n] of counts) {
        if (Number(update.run(n, app, path).changes) > 0) continue
        const hasRoom = known < this.#limits.pathsPerApp
        insert.run(app, hasRoom ? path : otherRoute, n)
        if (hasRoom) known++
      }
    }
  }

  #prune(): void {
    const oldest = Math.floor((this.#clock.now() - this.#limits.seriesMs) / 60_000)
    if (oldest === this.#prunedMinute) return
    this.#prunedMinute = oldest
    this.#run('DELETE FROM cell WHERE minute >= 0 AND minute < ?').run(oldest)
  }

  #upsert(value: string): StatementSync {
    return this.#run(
      `INSERT INTO cell (app, minute, route, field, value) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = ${value}`,
    )
  }

  #run(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare(sql)))
    return statement
  }
}

/** Rows come ordered, so the fields of one cell lie together. */
function cellsOf(rows: readonly CellRow[]): readonly RouteCell[] {
  const cells: (RouteCell & { readonly fields: Map<string, number> })[] = []
  for (const { app, route, minute, field, value } of rows) {
    let last = cells.at(-1)
    if (last?.app !== app || last.route !== route || last.minute !== minute) {
      last = { app, route, minute, fields: new Map() }
      cells.push(last)
    }
    last.fields.set(field, value)
  }
  return cells
}
