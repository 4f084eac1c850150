import { bucketOf } from './log-buckets.ts'
import { pathOf } from './route-of.ts'

/** Numbers by field name: `n`, `bytes`, `status:200`, `method:GET`, `service.sum`, `service.b120`, ... */
export type Fields = Map<string, number>

/** What is counted for one route, in one minute or in all. */
export interface RouteCell {
  readonly app: string
  readonly route: string
  /** Minutes since the epoch, or `total`. */
  readonly minute: number
  readonly fields: ReadonlyMap<string, number>
}

/** The minute of cells that hold everything. */
export const total = -1

/** One raw path in the view of 2016. */
export interface ViewCell {
  readonly service: { count: number; sum: number }
  readonly connect: { count: number; sum: number }
  readonly statuses: Map<string, number>
}

/** What a stretch of lines adds. Pure data: a store adds it and moves its position in one step. */
export interface RouteIncrements {
  readonly cells: readonly RouteCell[]
  /** Lines by path without query, for each app. */
  readonly paths: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** By path with query. */
  readonly view: ReadonlyMap<string, ViewCell>
  /** Lines that were counted. */
  readonly lines: number
  /** Messages that hold no complete router line. */
  readonly skipped: number
}

/** A router line as the fold needs it. */
export interface CountedLine {
  readonly app: string
  /** Epoch milliseconds of the event. */
  readonly timeMs: number
  readonly method: string
  /** With query. */
  readonly path: string
  readonly code: string | null
  readonly protocol: string | null
  readonly connectMs: number | null
  readonly serviceMs: number | null
  readonly status: number | null
  readonly bytes: number | null
}

export interface FoldOptions {
  readonly routeOf: (target: string) => string
  /** Lines before this time count in the totals only: their minutes are no longer kept. */
  readonly seriesFromMs: number
}

const knownMethods = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
])

/** `undefined` stands for a message that is no complete router line. */
export function foldLines(
  lines: Iterable<CountedLine | undefined>,
  { routeOf, seriesFromMs }: FoldOptions,
): RouteIncrements {
  const cells = new Map<string, { app: string; route: string; minute: number; fields: Fields }>()
  const paths = new Map<string, Map<string, number>>()
  const view = new Map<string, ViewCell>()
  let counted = 0
  let skipped = 0
  const cell = (app: string, route: string, minute: number): Fields => {
    const key = `${minute}\n${app}\n${route}`
    let found = cells.get(key)
    if (!found) {
      found = { app, route, minute, fields: new Map() }
      cells.set(key, found)
    }
    return found.fields
  }

  for (const line of lines) {
    if (!line) {
      skipped++
      continue
    }
    counted++
    const route = routeOf(line.path)
    addLine(cell(line.app, route, total), line)
    if (line.timeMs >= seriesFromMs) {
      addLine(cell(line.app, route, Math.floor(line.timeMs / 60_000)), line)
    }
    let ofApp = paths.get(line.app)
    if (!ofApp) paths.set(line.app, (ofApp = new Map()))
    const path = pathOf(line.path)
    ofApp.set(path, (ofApp.get(path) ?? 0) + 1)
    addToView(view, line)
  }
  return { cells: [...cells.values()], paths, view, lines: counted, skipped }
}

function addLine(fields: Fields, line: CountedLine): void {
  add(fields, 'n', 1)
  add(fields, `status:${line.status === null ? 'none' : statusName(line.status)}`, 1)
  // Methods, codes and protocols come from outside: only known ones get a field of their own.
  add(fields, `method:${knownMethods.has(line.method) ? line.method : ':other'}`, 1)
  if (line.code !== null) add(fields, `code:${/^H\d\d$/.test(line.code) ? line.code : ':other'}`, 1)
  if (line.protocol !== null && /^https?(?:\d(?:\.\d)?)?$/.test(line.protocol)) {
    add(fields, `protocol:${line.protocol}`, 1)
  }
  add(fields, 'bytes', line.bytes ?? 0)
  // The service time of 101 is the life of a socket, which would bury every latency.
  if (line.status === 101) return
  if (line.connectMs !== null) addTiming(fields, 'connect', line.connectMs)
  if (line.serviceMs !== null) addTiming(fields, 'service', line.serviceMs)
}

function statusName(status: number): string {
  return status >= 100 && status <= 999 ? String(status) : ':other'
}

function addTiming(fields: Fields, name: string, ms: number): void {
  add(fields, `${name}.n`, 1)
  add(fields, `${name}.sum`, ms)
  const least = fields.get(`${name}.min`)
  if (least === undefined || ms < least) fields.set(`${name}.min`, ms)
  const most = fields.get(`${name}.max`)
  if (most === undefined || ms > most) fields.set(`${name}.max`, ms)
  add(fields, ms === 0 ? `${name}.zero` : `${name}.b${bucketOf(ms)}`, 1)
}

function add(fields: Fields, name: string, amount: number): void {
  fields.set(name, (fields.get(name) ?? 0) + amount)
}

function addToView(view: Map<string, ViewCell>, line: CountedLine): void {
  let cell = view.get(line.path)
  if (!cell) {
    cell = { service: { count: 0, sum: 0 }, connect: { count: 0, sum: 0 }, statuses: new Map() }
    view.set(line.path, cell)
  }
  for (const [timing, ms] of [
    [cell.service, line.serviceMs],
    [cell.connect, line.connectMs],
  ] as const) {
    if (ms === null) continue
    timing.count++
    timing.sum += ms
  }
  if (line.status !== null) {
    const status = String(line.status)
    cell.statuses.set(status, (cell.statuses.get(status) ?? 0) + 1)
  }
}

/** How two values of one field become one: sums, except the extremes. */
export function mergeRule(field: string): 'add' | 'min' | 'max' {
  if (field.endsWith('.min')) return 'min'
  return field.endsWith('.max') ? 'max' : 'add'
}

export function mergeInto(into: Fields, from: ReadonlyMap<string, number>): void {
  for (const [field, value] of from) {
    const known = into.get(field)
    if (known === undefined) into.set(field, value)
    else {
      const rule = mergeRule(field)
      into.set(
        field,
        rule === 'add'
          ? known + value
          : rule === 'min'
            ? Math.min(known, value)
            : Math.max(known, value),
      )
    }
  }
}
