import { AsyncLocalStorage } from 'node:async_hooks'

import type {
  ConsumerDefinition,
  ConsumerSettings,
  Message,
  MillraceConfig,
  MiddlewareLayers,
  Outcome,
} from '../app/index.ts'
import { events } from '../telemetry/index.ts'
import { InvariantChecker, type ObservedJob, type Spot } from './invariants.ts'

/** Whose code runs: timers, sockets and promises that a worker begins keep knowing it. */
const scope = new AsyncLocalStorage<{ readonly app: symbol; readonly worker: number }>()

interface EventPlace {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

/** Tells the checker what the workers of one test application do; other applications of the process are not heard. */
export class AppRecorder implements Disposable {
  readonly checker = new InvariantChecker()
  readonly #app = Symbol('app')
  readonly #config: MillraceConfig
  readonly #groupId: (group: string) => string
  readonly #wireName: (topic: string) => string
  readonly #thrown = new Map<string, unknown>()
  readonly #unsubscribe: (() => void)[]
  #workers = 0
  /** Workers that somebody has told to end. */
  readonly #ending = new Set<number>()

  constructor(
    config: MillraceConfig,
    groupId: (group: string) => string,
    wireName: (topic: string) => string,
  ) {
    this.#config = config
    this.#groupId = groupId
    this.#wireName = wireName
    this.#unsubscribe = this.#subscribe()
  }

  /** Runs what starts a worker; what it does from then on is recorded under the number given back. */
  async start<T>(run: () => Promise<T>): Promise<{ readonly worker: T; readonly number: number }> {
    const number = ++this.#workers
    return { worker: await this.as(number, run), number }
  }

  /** Calls of a worker's functions are made in its name. */
  as<T>(worker: number, run: () => T): T {
    return scope.run({ app: this.#app, worker }, run)
  }

  ending(worker: number): void {
    this.#ending.add(worker)
  }

  crashed(worker: number): void {
    this.#ending.add(worker)
    this.checker.crashed(worker)
  }

  [Symbol.dispose](): void {
    for (const end of this.#unsubscribe) end()
  }

  /** Outermost, so that it sees every call of a handler from its beginning to its end. */
  readonly middleware: MiddlewareLayers = {
    name: 'millrace-test',
    consume: async (job, next) => {
      const worker = this.#worker
      if (worker === undefined) return next()
      const { group, consumer, attempt } = job.context
      const settings = this.#settingsOf(group, consumer)
      const spot = this.#spot({
        groupId: this.#groupId(group),
        topic: job.topic,
        partition: job.partition,
      })
      const observed: ObservedJob = {
        ...spot,
        offsets: job.messages.map(({ offset }) => offset),
        scopes: job.messages.map((message) => scopeOf(settings, message)),
        attempt,
      }
      this.checker.started(worker, observed)
      for (const offset of observed.offsets) this.#thrown.delete(keyOf(spot, offset))
      try {
        const returned = await next()
        this.checker.ended(worker, observed, finishedBy(returned, observed.offsets))
        return returned
      } catch (error) {
        this.checker.ended(worker, observed, [])
        this.#thrown.set(keyOf(spot, observed.offsets[0] ?? -1), error)
        throw error
      }
    },
  }

  get #worker(): number | undefined {
    const now = scope.getStore()
    return now?.app === this.#app ? now.worker : undefined
  }

  #spot({ groupId, topic, partition }: EventPlace): Spot {
    return { groupId, topic: this.#wireName(topic), partition }
  }

  /** Of the consumer, over those of its group and of the app. */
  #settingsOf(group: string, name: string): ConsumerSettings {
    const { app } = this.#config
    const definition = app?.consumers?.find(
      (own: ConsumerDefinition) => own.group === group && own.name === name,
    )
    return { ...app?.defaults, ...app?.groups?.[group], ...definition?.settings }
  }

  #subscribe(): (() => void)[] {
    const { checker } = this
    const settled = (place: EventPlace & { readonly offset: number }): void => {
      if (this.#worker !== undefined) checker.settled(this.#spot(place), place.offset)
    }
    const released = (own: {
      readonly groupId: string
      readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
    }): void => {
      const worker = this.#worker
      if (worker === undefined) return
      // Members speak of topics by their names on the wire.
      for (const at of own.partitions) checker.released(worker, { groupId: own.groupId, ...at })
    }
    return [
      events.groupAssigned.subscribe(({ groupId, added }) => {
        const worker = this.#worker
        if (worker === undefined) return
        for (const { topic, partition } of added)
          checker.assigned(worker, { groupId, topic, partition })
      }),
      events.groupRevoked.subscribe(released),
      events.groupLost.subscribe(released),
      events.groupLeft.subscribe(({ groupId }) => {
        const worker = this.#worker
        if (worker !== undefined && !this.#ending.has(worker)) checker.leftGroup(groupId)
      }),
      events.appState.subscribe(({ state }) => {
        const worker = this.#worker
        if (worker !== undefined && state === 'stopping') this.#ending.add(worker)
      }),
      events.appForced.subscribe(({ running }) => {
        if (this.#worker !== undefined) checker.forced(running)
      }),
      events.offsetsCommitted.subscribe(({ groupId, offsets }) => {
        const worker = this.#worker
        if (worker === undefined) return
        for (const { topic, partition, offset } of offsets)
          checker.committed(worker, { groupId, topic, partition }, offset)
      }),
      events.offsetsMarked.subscribe((mark) => {
        const worker = this.#worker
        if (worker === undefined) return
        const isManual = this.#settingsOf(mark.group, mark.consumer).offsets === 'manual'
        checker.marked(worker, this.#spot(mark), mark.offset, isManual)
      }),
      events.consumerSkipped.subscribe(settled),
      events.consumerFiltered.subscribe(settled),
      events.consumerDuplicate.subscribe(settled),
      events.deadletterSent.subscribe(settled),
      events.retryTopicSent.subscribe(settled),
      events.jobStuck.subscribe((job) => {
        if (this.#worker !== undefined) checker.leftBehind(this.#spot(job))
      }),
      events.partitionSeek.subscribe((place) => {
        if (this.#worker !== undefined) checker.moved(this.#spot(place))
      }),
      events.consumerFailed.subscribe((failed) => {
        if (this.#worker === undefined) return
        const spot = this.#spot(failed)
        checker.failed(spot, failed.offset, failed.attempt, failed.error)
        const key = keyOf(spot, failed.offset)
        if (this.#thrown.has(key) && !isOrCauses(failed.error, this.#thrown.get(key)))
          checker.errorChanged(spot, failed.offset)
        this.#thrown.delete(key)
      }),
    ]
  }
}

function keyOf({ groupId, topic, partition }: Spot, offset: number): string {
  return `${groupId} ${topic}/${partition}@${offset}`
}

function isOrCauses(told: unknown, thrown: unknown): boolean {
  for (let error = told; ; error = error.cause) {
    if (error === thrown) return true
    if (!(error instanceof Error)) return false
  }
}

/** What has to stay in order with what. */
function scopeOf(settings: ConsumerSettings, message: Message): string | undefined {
  const { concurrency = 1, orderBy } = settings as ConsumerSettings & {
    readonly orderBy?: ((message: Message) => unknown) | null
  }
  if (concurrency <= 1) return ''
  if (orderBy === null) return undefined
  if (orderBy === undefined) return message.raw.key?.toString('latin1')
  try {
    return String(orderBy(message))
  } catch {
    return ''
  }
}

/** Which of a job's messages the handler's return has finished. */
function finishedBy(returned: unknown, offsets: readonly number[]): readonly number[] {
  const outcome = returned as Partial<Outcome> | undefined
  switch (outcome?.kind) {
    case 'retry':
    case 'stop':
    case 'deadLetter':
      return []
    case 'failed': {
      const { failures } = outcome as Extract<Outcome, { kind: 'failed' }>
      const failed = new Set(failures.map(({ message }) => message.offset))
      return offsets.filter((offset) => !failed.has(offset))
    }
    case 'skip':
    case undefined:
      return offsets
  }
}
