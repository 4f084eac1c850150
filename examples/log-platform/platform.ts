/**
 * What `millrace dev` runs beside broker, drain and consumers: a demo site behind a router and a Logplex (the feeder
 * plays both), and a staging site for the replay. Each is a process of its own and is started again when it dies.
 */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import {
  openRouteStore,
  readAccessLog,
  summarise,
  summariseAll,
  type RouteStore,
  type RouteStoreOptions,
  type RouteSummary,
} from 'millrace/drain'

import { startChild, type Child } from './child.ts'
import { liveTable, reportDocument, reportText, type Facts } from './report.ts'

interface PlatformContext {
  readonly drainUrl: string
  /** Journals, access logs and, by default, the route metrics are kept here. */
  readonly dataFolder: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly store: RouteStoreOptions
}

interface SiteState {
  readonly url: string
  readonly port: number
  readonly logged: number
  readonly repeats: number
}

interface FeederState {
  readonly total: number
  readonly answered: number
  readonly delivered: number
}

export interface Platform extends AsyncDisposable {
  readonly addresses: readonly { readonly label: string; readonly url: string }[]
  progress(): { readonly label: string; readonly done: number; readonly total: number }
  /** The busiest routes so far. */
  live(): string
  /** Resolves when every request is counted and every read is replayed. */
  readonly finished: Promise<void>
  report(): Promise<{ readonly text: string; readonly document: unknown }>
  /** For tests that kill: process ids by name. */
  readonly pids: Readonly<Record<'site' | 'staging' | 'feeder', number | undefined>>
}

const data = join(import.meta.dirname, 'data/apache_logs.gz')
const staging = Promise.withResolvers<string>()

/** The staging site's URL, known once the platform runs. */
export const stagingUrl = (): Promise<string> => staging.promise

export async function startPlatform(context: PlatformContext): Promise<Platform> {
  const { dataFolder, env } = context
  const requests = await readAccessLog(data)
  const reads = requests.filter(({ method }) => method === 'GET' || method === 'HEAD').length
  await using opened = new AsyncDisposableStack()
  const site = opened.use(await startOneSite('site', dataFolder))
  const stagingSite = opened.use(await startOneSite('staging', dataFolder))
  staging.resolve(stagingSite.state.url)
  const feeder = opened.use(
    await startChild<FeederState>('feeder-process.ts', () => ({
      data,
      site: site.state.url,
      drain: context.drainUrl,
      folder: dataFolder,
      speed: Number(env['FEED_SPEED'] ?? 10_000),
    })),
  )
  const store = opened.use(await openRouteStore(context.store))
  const watch = new Watch(store)
  const stopping = new AbortController()
  opened.defer(() => stopping.abort())

  const failed = Promise.withResolvers<never>()
  for (const child of [site, stagingSite, feeder]) child.ended.catch(failed.reject)
  const isDone = (): boolean =>
    feeder.state.delivered === requests.length &&
    watch.counted >= requests.length &&
    stagingSite.state.logged >= reads
  const finished = Promise.race([watch.until(isDone, stopping.signal), failed.promise])
  // A stop before the end is no failure; whoever waits hears of it.
  finished.catch(() => undefined)

  const running = opened.move()
  return {
    addresses: [
      { label: 'demo site', url: site.state.url },
      { label: 'staging', url: stagingSite.state.url },
    ],
    progress: () => ({ label: 'requests counted', done: watch.counted, total: requests.length }),
    live: () => liveTable(watch.routes, { replayed: stagingSite.state.logged, reads }),
    finished,
    async report() {
      await watch.look()
      const facts: Facts = {
        all: watch.all,
        routes: watch.routes,
        paths: watch.paths,
        requests: requests.length,
        reads,
        site: site.state,
        staging: stagingSite.state,
        restarts: site.restarts + stagingSite.restarts + feeder.restarts,
      }
      return { text: reportText(facts), document: reportDocument(facts) }
    },
    get pids() {
      return { site: site.pid, staging: stagingSite.pid, feeder: feeder.pid }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function startOneSite(name: string, dataFolder: string): Promise<Child<SiteState>> {
  // The port stays over a restart: feeder and replay know the address.
  return startChild<SiteState>('site-process.ts', (last) => ({
    data,
    accessLog: join(dataFolder, `${name}-access.log`),
    port: last?.port ?? 0,
  }))
}

/** The route metrics as last read; the screen asks more often than a store should be. */
class Watch {
  readonly #store: RouteStore
  counted = 0
  paths = 0
  routes: readonly RouteSummary[] = []
  all: RouteSummary = summariseAll([])

  constructor(store: RouteStore) {
    this.#store = store
  }

  async until(isDone: () => boolean, signal: AbortSignal): Promise<void> {
    for (let round = 0; ; round++) {
      await this.#count()
      if (isDone()) return this.look()
      if (round % tableEvery === 0) await this.look()
      await wait(countEveryMs, undefined, { signal })
    }
  }

  /** Everything: dear when there are many routes. */
  async look(): Promise<void> {
    await this.#count()
    const cells = await this.#store.totals()
    this.routes = summarise(cells)
    this.all = summariseAll(cells)
  }

  async #count(): Promise<void> {
    const paths = await this.#store.paths()
    this.paths = paths.size
    let lines = 0
    for (const n of paths.values()) lines += n
    this.counted = lines
  }
}

const countEveryMs = 250
const tableEvery = 8
