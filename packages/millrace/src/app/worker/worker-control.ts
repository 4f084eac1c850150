import type { Slots } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import {
  isPaused,
  readPauses,
  type ControlAnswer,
  type ControlRequest,
  type KeptPause,
  type WorkerInternals,
  type WorkerStatus,
} from '../control/index.ts'
import { partitionRow } from '../health/index.ts'
import type { PartitionOwner } from '../owner/partition-owner.ts'
import type { LoopWatch } from './loop-delay.ts'
import type { RunningWorker } from './worker.ts'

export interface ControlledWorker {
  readonly worker: RunningWorker
  /** `price_drops:1`, or `worker`. */
  readonly name: string
  readonly clientId: string
  readonly slots: Slots
  readonly loop: LoopWatch
  /** Where pauses from outside are kept. */
  readonly dataFolder: string | undefined
  readonly restarts: number
}

/** What people see of a worker and tell it: over the control socket, by signals, in `millrace status`. */
export class WorkerControl implements Disposable {
  readonly #parts: ControlledWorker
  readonly #startedAt = new Date()
  readonly #ends: (() => void)[]
  #since = new Date()
  #state: string | undefined
  #pauses: readonly KeptPause[] = []
  #lastError: { readonly at: string; readonly text: string } | undefined

  constructor(parts: ControlledWorker) {
    this.#parts = parts
    this.#ends = [
      events.appState.subscribe(() => {
        // Another worker of the process may have gone on.
        if (parts.worker.state === this.#state) return
        this.#state = parts.worker.state
        this.#since = new Date()
      }),
      events.error.subscribe(({ error }) => {
        const text = error instanceof Error ? error.message : String(error)
        this.#lastError = { at: new Date().toISOString(), text }
      }),
    ]
  }

  [Symbol.dispose](): void {
    for (const end of this.#ends) end()
  }

  get name(): string {
    return this.#parts.name
  }

  /** Reads the pauses that are kept, before the first partition comes. */
  async load(): Promise<void> {
    const { dataFolder } = this.#parts
    if (dataFolder !== undefined) this.#pauses = await readPauses(dataFolder)
  }

  /** A partition that comes while it is paused from outside begins paused. */
  adopt(owner: PartitionOwner): void {
    if (this.#isPaused(owner)) owner.pause(undefined)
  }

  async answer(request: ControlRequest): Promise<ControlAnswer> {
    const { worker } = this.#parts
    switch (request.do) {
      case 'status':
        return { ok: true, document: this.status() }
      case 'dump':
        return { ok: true, document: this.dump() }
      case 'quiet':
        events.processSignal.publish({ signal: 'quiet', action: 'finishing what is in hand' })
        void worker.quiet()
        return { ok: true, document: this.status() }
      case 'stop': {
        const isAgain = worker.state === 'stopping'
        if (isAgain && request.isForced !== true)
          return { ok: false, error: 'it is stopping already; --force ends it at once' }
        events.processSignal.publish({
          signal: 'stop',
          action: isAgain ? 'stopping at once' : 'stopping',
        })
        void worker.stop()
        if (request.isForced === true && !isAgain) void worker.stop()
        return { ok: true, document: this.status() }
      }
      case 'reload': {
        await this.#reload()
        return { ok: true, document: this.status() }
      }
    }
  }

  /** Its parent has gone: nobody would start it again, nor stop it. */
  orphaned(): void {
    this.#parts.worker.orphaned()
  }

  status(): WorkerStatus {
    const { worker, name, clientId, restarts } = this.#parts
    const health = worker.health()
    const { isLive, isReady, notLive, notReady, alarms } = health
    return {
      name,
      pid: process.pid,
      state: worker.state,
      since: this.#since.toISOString(),
      started: this.#startedAt.toISOString(),
      clientId,
      memoryBytes: process.memoryUsage.rss(),
      restarts,
      ...(worker.healthAddress === undefined ? {} : { healthAddress: worker.healthAddress }),
      isLive,
      isReady,
      reasons: [...new Set([...notLive, ...notReady])],
      alarms,
      groups: health.groups.map(({ group, groupId, cluster, phase }) => ({
        group,
        groupId,
        cluster,
        state: phase,
      })),
      partitions: health.partitions.map(partitionRow),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    }
  }

  dump(): WorkerStatus {
    return { ...this.status(), internals: this.#internals() }
  }

  #internals(): WorkerInternals {
    const { worker, slots, loop } = this.#parts
    const handles: Record<string, number> = {}
    for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1
    return {
      uptimeSeconds: Math.round(process.uptime()),
      memory: { ...process.memoryUsage() },
      loopDelayMs: Math.round(loop.worstMs),
      slots: { size: slots.capacity, taken: slots.taken },
      queued: worker.producer.queued,
      handles,
    }
  }

  /** The file of pauses has changed: what is paused there stands, what is paused no more runs again. */
  async #reload(): Promise<void> {
    const owners = this.#parts.worker.groups.flatMap((group) => [...group.owners])
    const before = new Set(owners.filter((owner) => this.#isPaused(owner)))
    await this.load()
    for (const owner of owners) {
      const isWanted = this.#isPaused(owner)
      if (isWanted && !before.has(owner)) owner.pause(undefined)
      if (!isWanted && before.has(owner)) owner.resume()
    }
  }

  #isPaused({ topic, source, plan }: PartitionOwner): boolean {
    if (this.#pauses.length === 0) return false
    const { partition } = source
    return [topic.name, source.topic].some((name) =>
      isPaused(this.#pauses, { topic: name, partition, group: plan.group }),
    )
  }
}
