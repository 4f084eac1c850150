/**
 * Route metrics in Redis 6 or newer, without modules. A batch is one script: position, numbers and the view of
 * 2016 move together. Redis Cluster works with `view2016: false` only, since that view's keys carry no tag.
 */
import { createHash } from 'node:crypto'

import { failure } from '../../errors/index.ts'
import { systemClock, type Clock } from '../../kit/index.ts'
import { mergeInto, total, type Fields, type RouteCell } from './fold.ts'
import { applyScript } from './redis-script.ts'
import {
  defaultLimits,
  otherRoute,
  type ApplyResult,
  type MinuteQuery,
  type RouteBatch,
  type RouteLimits,
  type RouteStore,
} from './store.ts'

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string
  readonly limits?: Partial<RouteLimits>
  /** Keep the keys that readers of the demo of 2016 know. Default true. */
  readonly view2016?: boolean
  readonly clock?: Clock
}

/** The part of ioredis that is used; its types stay out of our signatures. */
interface RedisConnection {
  connect(): Promise<void>
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>
  hget(key: string, field: string): Promise<string | null>
  hgetall(key: string): Promise<Record<string, string>>
  smembers(key: string): Promise<string[]>
  zrangebyscore(key: string, from: number | string, to: number | string): Promise<string[]>
  disconnect(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

const viewPaths = 10_000
const prefix = '{mr}:v1:'
const readAtOnce = 100

/** @throws MR_ROUTES_REDIS_MISSING, MR_ROUTES_STORE_OPEN */
export async function openRedisStore(options: RedisStoreOptions): Promise<RouteStore> {
  const redis = await connectionTo(options.url)
  try {
    await redis.connect()
  } catch (cause) {
    redis.disconnect()
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw failure(
      'MR_ROUTES_STORE_OPEN',
      { where: withoutPassword(options.url), reason },
      { cause },
    )
  }
  return new RedisStore(redis, options)
}

async function connectionTo(url: string): Promise<RedisConnection> {
  let Redis: (typeof import('ioredis'))['Redis']
  try {
    ;({ Redis } = await import('ioredis'))
  } catch (cause) {
    throw failure('MR_ROUTES_REDIS_MISSING', { library: 'ioredis' }, { cause })
  }
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    commandTimeout: 10_000,
    maxRetriesPerRequest: 3,
  }) as unknown as RedisConnection
  // ioredis reconnects by itself and fails the waiting commands; those errors reach the caller.
  redis.on('error', () => undefined)
  return redis
}

function withoutPassword(url: string): string {
  const parsed = URL.parse(url)
  return parsed ? `${parsed.protocol}//${parsed.host}${parsed.pathname}` : 'the given URL'
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

class RedisStore implements RouteStore {
  readonly #redis: RedisConnection
  readonly #limits: RouteLimits
  readonly #hasView: boolean
  readonly #clock: Clock

  constructor(redis: RedisConnection, options: RedisStoreOptions) {
    this.#redis = redis
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#hasView = options.view2016 ?? true
    this.#clock = options.clock ?? systemClock
  }

  async position(fence: string): Promise<number | null> {
    const position = await this.#redis.hget(`${prefix}fence`, fence)
    return position === null ? null : Number(position)
  }

  async apply(fence: string, batch: RouteBatch): Promise<ApplyResult> {
    const answer = await this.#redis.eval(
      applyScript,
      1,
      `${prefix}fence`,
      fence,
      batch.from === null ? '' : String(batch.from),
      String(batch.to),
      this.#payload(batch),
      String(this.#limits.routesPerApp),
      String(this.#limits.pathsPerApp),
      String(viewPaths),
      sha256(otherRoute),
    )
    if (answer === '') return { isApplied: true }
    return { isApplied: false, position: answer === 'none' ? null : Number(answer) }
  }

  async totals(): Promise<readonly RouteCell[]> {
    const cells: RouteCell[] = []
    for (const app of await this.#apps()) {
      const routes = (await this.#redis.smembers(`${prefix}routes:${app}`)).toSorted()
      const keys = [...routes, otherRoute].map((route) => ({
        app: decodeURIComponent(app),
        route,
        minute: total,
        key: `${prefix}total:${app}:${route}`,
      }))
      cells.push(...(await this.#read(keys)))
    }
    return cells
  }

  async minutes({ fromMinute, toMinute, app, route }: MinuteQuery): Promise<readonly RouteCell[]> {
    const cells: RouteCell[] = []
    for (const encoded of await this.#apps()) {
      if (app !== undefined && decodeURIComponent(encoded) !== app) continue
      const members = await this.#redis.zrangebyscore(
        `${prefix}minutes:${encoded}`,
        Math.max(0, fromMinute),
        `(${toMinute}`,
      )
      const keys = members.map((member) => {
        const colon = member.indexOf(':')
        return {
          app: decodeURIComponent(encoded),
          minute: Number(member.slice(0, colon)),
          route: member.slice(colon + 1),
          key: `${prefix}minute:${encoded}:${member}`,
        }
      })
      cells.push(
        ...(await this.#read(keys.filter((one) => route === undefined || one.route === route))),
      )
    }
    return cells
  }

  async paths(): Promise<ReadonlyMap<string, number>> {
    const paths: Fields = new Map()
    for (const app of await this.#apps()) {
      mergeInto(paths, numbers(await this.#redis.hgetall(`${prefix}paths:${app}`)))
    }
    return paths
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve()
    this.#redis.disconnect()
  }

  async #apps(): Promise<readonly string[]> {
    return (await this.#redis.smembers(`${prefix}apps`)).toSorted()
  }

  async #read(
    keys: readonly (Omit<RouteCell, 'fields'> & { readonly key: string })[],
  ): Promise<readonly RouteCell[]> {
    const cells: RouteCell[] = []
    for (let from = 0; from < keys.length; from += readAtOnce) {
      const some = keys.slice(from, from + readAtOnce)
      const hashes = await Promise.all(some.map(({ key }) => this.#redis.hgetall(key)))
      for (const [index, { app, route, minute }] of some.entries()) {
        const fields = numbers(hashes[index] ?? {})
        if (fields.size > 0) cells.push({ app, route, minute, fields })
      }
    }
    return cells
  }

  #payload(batch: RouteBatch): string {
    const seriesSeconds = Math.ceil(this.#limits.seriesMs / 1000)
    const oldest = Math.floor((this.#clock.now() - this.#limits.seriesMs) / 60_000)
    const apps = new Set(batch.cells.map(({ app }) => app))
    return JSON.stringify({
      cells: batch.cells.map(({ app, route, minute, fields }) => [
        encodeURIComponent(app),
        route,
        minute === total ? '' : String(minute),
        seriesSeconds,
        flat(fields),
      ]),
      prune: [...apps].map((app) => [encodeURIComponent(app), `(${oldest}`]),
      paths: [...batch.paths].flatMap(([app, counts]) =>
        Array.from(counts, ([path, n]) => [encodeURIComponent(app), path, String(n)]),
      ),
      view: this.#hasView
        ? Array.from(batch.view, ([path, { service, connect, statuses }]) => [
            path,
            sha256(path),
            String(service.count),
            String(service.sum),
            String(connect.count),
            String(connect.sum),
            flat(statuses),
          ])
        : [],
    })
  }
}

function flat(fields: ReadonlyMap<string, number>): readonly string[] {
  const list: string[] = []
  for (const [field, value] of fields) list.push(field, String(value))
  return list
}

function numbers(hash: Readonly<Record<string, string>>): Fields {
  const fields: Fields = new Map()
  for (const [field, value] of Object.entries(hash)) fields.set(field, Number(value))
  return fields
}
