import type { RouteSummary, TimingSummary } from 'millrace/drain'

interface SiteFacts {
  readonly logged: number
  readonly repeats: number
}

export interface Facts {
  readonly all: RouteSummary
  readonly routes: readonly RouteSummary[]
  readonly paths: number
  readonly requests: number
  readonly reads: number
  readonly site: SiteFacts
  readonly staging: SiteFacts
  readonly restarts: number
}

const shown = 10
const longestRoute = 56

/** The busiest routes and how far the replay is. */
export function liveTable(
  routes: readonly RouteSummary[],
  replay: { readonly replayed: number; readonly reads: number },
): string {
  const lines = routesTable(routes)
  lines.push('', `replayed on staging: ${count(replay.replayed)} of ${count(replay.reads)} reads`)
  return lines.join('\n')
}

export function reportText(facts: Facts): string {
  const { all, routes, paths } = facts
  return [
    `${count(all.n)} requests counted, ${count(paths)} paths, ${count(routes.length)} routes, ${count(all.bytes)} bytes`,
    `  methods   ${pairs(all.methods)}`,
    `  statuses  ${pairs(all.statuses)}`,
    `  connect   ${timing(all.connect)}`,
    `  service   ${timing(all.service)}`,
    '',
    ...routesTable(routes),
    '',
    `demo site: ${count(facts.site.logged)} requests in its log, ${count(facts.site.repeats)} repeats set aside`,
    `staging:   ${count(facts.staging.logged)} of ${count(facts.reads)} reads replayed, ${count(facts.staging.repeats)} repeats set aside`,
  ].join('\n')
}

export function reportDocument(facts: Facts): unknown {
  const { all, routes, paths, requests, reads, site, staging } = facts
  return {
    requests,
    counted: all.n,
    paths,
    methods: all.methods,
    statuses: all.statuses,
    connect: all.connect,
    service: all.service,
    routes: routes.slice(0, 100),
    routeCount: routes.length,
    site,
    replay: { reads, replayed: staging.logged, repeats: staging.repeats },
  }
}

function routesTable(routes: readonly RouteSummary[]): string[] {
  const rows = routes
    .slice(0, shown)
    .map(({ route, n, service, connect, statuses }) => [
      shorten(route),
      count(n),
      ms(service.average),
      ms(service.p95),
      ms(service.p99),
      ms(connect.p95),
      pairs(statuses),
    ])
  const head = ['route', 'count', 'service avg', 'p95', 'p99', 'connect p95', 'statuses']
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        const isText = column === 0 || column === head.length - 1
        return isText ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
}

/** The end says more than the beginning: routes of one folder begin alike. */
function shorten(route: string): string {
  return route.length <= longestRoute ? route : `…${route.slice(1 - longestRoute)}`
}

function pairs(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .toSorted(([, left], [, right]) => right - left)
    .map(([name, n]) => `${name} ${count(n)}`)
    .join('  ')
}

function timing({ average, min, p50, p95, p99, max }: TimingSummary): string {
  return `average ${ms(average)}, p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, from ${ms(min)} to ${ms(max)}`
}

function ms(value: number | null): string {
  if (value === null) return '-'
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')} ms`
}

function count(n: number): string {
  return n.toLocaleString('en-US')
}
