import { mergeInto, type Fields, type RouteCell } from './fold.ts'
import { quantileOf, type Distribution } from './log-buckets.ts'

/** A latency as shown: milliseconds, null when nothing was measured. Percentiles are within 1 %. */
export interface TimingSummary {
  readonly count: number
  readonly sum: number
  readonly average: number | null
  readonly min: number | null
  readonly max: number | null
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

export interface RouteSummary {
  readonly route: string
  readonly n: number
  readonly bytes: number
  readonly statuses: Readonly<Record<string, number>>
  readonly methods: Readonly<Record<string, number>>
  readonly codes: Readonly<Record<string, number>>
  readonly connect: TimingSummary
  readonly service: TimingSummary
}

/** One summary a route, over all apps, minutes and cells given; busiest first. */
export function summarise(cells: Iterable<RouteCell>): readonly RouteSummary[] {
  const byRoute = new Map<string, Fields>()
  for (const { route, fields } of cells) {
    let merged = byRoute.get(route)
    if (!merged) byRoute.set(route, (merged = new Map()))
    mergeInto(merged, fields)
  }
  return Array.from(byRoute, ([route, fields]) => summaryOf(route, fields)).toSorted(
    (left, right) => right.n - left.n || left.route.localeCompare(right.route),
  )
}

/** All routes as one. */
export function summariseAll(cells: Iterable<RouteCell>): RouteSummary {
  const merged: Fields = new Map()
  for (const { fields } of cells) mergeInto(merged, fields)
  return summaryOf('*', merged)
}

function summaryOf(route: string, fields: ReadonlyMap<string, number>): RouteSummary {
  return {
    route,
    n: fields.get('n') ?? 0,
    bytes: fields.get('bytes') ?? 0,
    statuses: named(fields, 'status:'),
    methods: named(fields, 'method:'),
    codes: named(fields, 'code:'),
    connect: timing(fields, 'connect'),
    service: timing(fields, 'service'),
  }
}

function named(fields: ReadonlyMap<string, number>, prefix: string): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [field, value] of fields) {
    if (field.startsWith(prefix)) found[field.slice(prefix.length)] = value
  }
  return found
}

function timing(fields: ReadonlyMap<string, number>, name: string): TimingSummary {
  const distribution = distributionOf(fields, name)
  const { count, sum } = distribution
  const quantile = (at: number): number | null => quantileOf(distribution, at)
  return {
    count,
    sum,
    average: count === 0 ? null : sum / count,
    min: count === 0 ? null : distribution.min,
    max: count === 0 ? null : distribution.max,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
  }
}

function distributionOf(fields: ReadonlyMap<string, number>, name: string): Distribution {
  const buckets = new Map<number, number>()
  const prefix = `${name}.b`
  for (const [field, value] of fields) {
    if (field.startsWith(prefix)) buckets.set(Number(field.slice(prefix.length)), value)
  }
  return {
    count: fields.get(`${name}.n`) ?? 0,
    sum: fields.get(`${name}.sum`) ?? 0,
    min: fields.get(`${name}.min`) ?? 0,
    max: fields.get(`${name}.max`) ?? 0,
    zeros: fields.get(`${name}.zero`) ?? 0,
    buckets,
  }
}
