import {
  Consumer,
  defineConsumer,
  type Assignment,
  type ConsumerDefinition,
  type ConsumerSettings,
} from '../../app/index.ts'
import { systemClock, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { headerNames, type RouterRecordFields } from '../record.ts'
import { drainTopic, type DrainTopic } from '../router-topic.ts'
import type { CountedLine } from './fold.ts'
import { openRouteStore, type RouteStoreOptions } from './open-store.ts'
import { PartitionCounter, type PlacedLine } from './partition-counter.ts'
import { routeReader, type RoutePattern } from './route-of.ts'
import { defaultLimits, type RouteStore } from './store.ts'

export interface RouteMetricsOptions {
  /** An open store, which stays the caller's, or where to open one. */
  readonly store: RouteStore | RouteStoreOptions
  /** Default `drainTopic('router')`. */
  readonly topic?: DrainTopic
  /** Default `metrics`. */
  readonly group?: string
  readonly name?: string
  /** Where counting begins when neither the store nor the group knows the partition. Default `'latest'`. */
  readonly start?: ConsumerSettings['start']
  /** Route patterns of the application, tried before the rules. */
  readonly patterns?: readonly RoutePattern[]
  /** Most lines of a batch, and so of one transaction. Default 5,000. */
  readonly maxMessages?: number
  readonly clock?: Clock
}

/** What a message must offer to be counted; the app's messages do. */
export interface RouterMessage {
  readonly offset: number
  readonly timestamp: number
  readonly value: unknown
  header(name: string): string | undefined
}

/**
 * A consumer that counts router lines into route metrics, each line once. The position that decides is the
 * store's; what the group commits is for lag.
 *
 * @throws MR_ROUTES_STORE_OPEN, MR_ROUTES_REDIS_MISSING when the first partition is assigned
 * @example
 * defineApp({ consumers: [routeMetrics({ store: { folder: '.millrace/routes' } })] })
 */
export function routeMetrics(options: RouteMetricsOptions): ConsumerDefinition {
  const topic = options.topic ?? drainTopic('router')
  const group = options.group ?? 'metrics'
  const clock = options.clock ?? systemClock
  const routeOf = routeReader(options.patterns)
  const stores = new SharedStore(options.store)
  const seriesMs =
    ('apply' in options.store ? undefined : options.store.limits?.seriesMs) ??
    defaultLimits.seriesMs

  class RouteMetricsConsumer extends Consumer<DrainTopic, 'batch'> {
    #counter: PartitionCounter | undefined
    #store: RouteStore | undefined
    #hasCommitted = false

    override async assigned({ position, committed }: Assignment): Promise<void> {
      this.#hasCommitted = committed !== null
      const counter = await this.#open()
      if (counter.position === null) {
        if (committed !== null) this.#rebuild()
        else if (position !== null) await counter.begin(position)
      } else if (counter.position !== position) this.seek(counter.position)
    }

    override async consume(): Promise<void> {
      const counter = this.#counter ?? (await this.#reopen())
      if (!counter) return
      const { topic: name, partition } = this.messages.first
      const placed = Array.from(this.messages, placedLine)
      const result = await counter.count(placed, clock.now() - seriesMs)
      switch (result.state) {
        case 'counted':
          events.routesApplied.publish({ topic: name, partition, ...result })
          return
        case 'behind':
          events.routesFenced.publish({
            topic: name,
            partition,
            from: this.messages.first.offset,
            position: result.position,
          })
          this.seek(result.position)
          return
        case 'emptied':
          this.#rebuild()
      }
    }

    override revoked(): Promise<void> {
      return this.#leave()
    }

    override shutdown(): Promise<void> {
      return this.#leave()
    }

    async #open(): Promise<PartitionCounter> {
      this.#store ??= await stores.take()
      const fence = `${group}/${this.topic.name}/${this.partition}`
      this.#counter = await PartitionCounter.open(this.#store, fence, routeOf)
      return this.#counter
    }

    /**
     * The store was away when the partition came. Undefined: reading goes on where the store stands, and what is in
     * hand is dropped.
     */
    async #reopen(): Promise<PartitionCounter | undefined> {
      const counter = await this.#open()
      const { position } = counter
      if (position === null && this.#hasCommitted) this.#rebuild()
      else if (position !== null && position !== this.messages.first.offset) this.seek(position)
      else return counter
      return undefined
    }

    /** Commits without a position in the store: somebody emptied it, so all of the topic counts again. */
    #rebuild(): void {
      events.routesRebuilding.publish({ topic: this.topic.name, partition: this.partition })
      this.seek('earliest')
    }

    async #leave(): Promise<void> {
      if (!this.#store) return
      this.#store = undefined
      this.#counter = undefined
      await stores.giveBack()
    }
  }

  return defineConsumer<DrainTopic>({
    topic,
    group,
    name: options.name ?? group,
    use: RouteMetricsConsumer,
    mode: 'batch',
    start: options.start ?? 'latest',
    maxMessages: options.maxMessages ?? 5_000,
  })
}

function placedLine(message: RouterMessage): PlacedLine {
  return { offset: message.offset, line: countedLine(message) }
}

/** Undefined for what is no complete router line, a value that is no JSON included: it has nothing to count. */
export function countedLine(message: RouterMessage): CountedLine | undefined {
  const fields = fieldsOf(message)
  if (fields?.complete !== true || fields.path === undefined || fields.path === '') return undefined
  return {
    app: message.header(headerNames.drainToken) ?? message.header(headerNames.source) ?? '',
    timeMs: message.timestamp,
    method: fields.method ?? '',
    path: fields.path,
    code: fields.code ?? null,
    protocol: fields.protocol ?? null,
    connectMs: fields.connect_ms,
    serviceMs: fields.service_ms,
    status: fields.status,
    bytes: fields.bytes,
  }
}

/** The fields of a router line in a message of the drain; undefined when it holds none. */
export function fieldsOf(message: Pick<RouterMessage, 'value'>): RouterRecordFields | undefined {
  let value: unknown
  try {
    value = message.value
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('fields' in value)) return undefined
  const fields = value.fields
  const isRouter = typeof fields === 'object' && fields !== null && 'complete' in fields
  return isRouter ? (fields as RouterRecordFields) : undefined
}

/** One store for all partitions of a process, opened with the first and closed with the last. */
class SharedStore {
  readonly #source: RouteStore | RouteStoreOptions
  #store: Promise<RouteStore> | undefined
  #users = 0

  constructor(source: RouteStore | RouteStoreOptions) {
    this.#source = source
  }

  async take(): Promise<RouteStore> {
    if ('apply' in this.#source) return this.#source
    this.#users++
    this.#store ??= openRouteStore(this.#source)
    try {
      return await this.#store
    } catch (error) {
      this.#store = undefined
      this.#users--
      throw error
    }
  }

  async giveBack(): Promise<void> {
    if ('apply' in this.#source || --this.#users > 0) return
    const store = this.#store
    // At once: who takes one from now on must not get the one that closes.
    this.#store = undefined
    await (await store)?.[Symbol.asyncDispose]()
  }
}
