import { events } from '../../telemetry/index.ts'
import type { Admin } from '../../client/index.ts'
import type { Clock, Timer } from '../../kit/index.ts'

/** A partition whose lag the brokers are asked for, by its name on the wire. */
export interface AskedPartition {
  readonly group: string
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

export interface AskedGroup {
  readonly admin: Admin
  readonly partitions: readonly AskedPartition[]
}

const idleMs = 1000

/**
 * The lag as the brokers know it: end of the log minus committed position, asked on an interval. The worker's own
 * view comes with fetches and so stands still while a partition is paused or its fetches fail.
 */
export class LagWatch {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #groups: () => readonly AskedGroup[]
  readonly #lags = new Map<string, number>()
  readonly #stop = new AbortController()
  #timer: Timer | undefined
  #isStarted = false

  constructor(clock: Clock, intervalMs: number, groups: () => readonly AskedGroup[]) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#groups = groups
  }

  /** Idempotent; asks at once, then on the interval. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    void this.#round()
  }

  stop(): void {
    this.#isStarted = true
    this.#timer?.cancel()
    this.#stop.abort(new Error('stopped'))
  }

  lagOf(groupId: string, topic: string, partition: number): number | undefined {
    return this.#lags.get(`${groupId} ${topic}/${partition}`)
  }

  async #round(): Promise<void> {
    const groups = this.#groups()
    await Promise.all(groups.map((group) => this.#ask(group)))
    if (this.#stop.signal.aborted) return
    // Before the first assignment there is nothing to ask for.
    const isIdle = groups.every(({ partitions }) => partitions.length === 0)
    const delayMs = isIdle ? Math.min(idleMs, this.#intervalMs) : this.#intervalMs
    this.#timer = this.#clock.after(delayMs, () => void this.#round(), { unref: true })
  }

  /** What cannot be asked keeps its last number: whether the brokers answer is told elsewhere. */
  async #ask({ admin, partitions }: AskedGroup): Promise<void> {
    const [first] = partitions
    if (first === undefined) return
    const { signal } = this.#stop
    const options = { signal, timeoutMs: this.#intervalMs }
    try {
      const [committed, ends] = await Promise.all([
        admin.committedOffsets(first.groupId, partitionsByTopic(partitions), options),
        admin.listOffsets(
          partitions.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const })),
          options,
        ),
      ])
      const committedAt = new Map(
        committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]),
      )
      for (const [index, place] of partitions.entries()) {
        const end = ends[index]
        const key = `${place.topic}/${place.partition}`
        const position = committedAt.get(key) ?? -1
        if (end === undefined || end.error !== undefined) continue
        // Nothing committed yet: everything may still be to do, or nothing; the group's start decides, not we.
        const lag = position < 0 ? undefined : Math.max(0, end.offset - position)
        if (lag === undefined) this.#lags.delete(`${place.groupId} ${key}`)
        else this.#lags.set(`${place.groupId} ${key}`, lag)
        if (!events.lagMeasured.isHeard || lag === undefined) continue
        events.lagMeasured.publish({ ...place, committed: position, end: end.offset, lag })
      }
    } catch (error) {
      if (!signal.aborted && events.lagUnknown.isHeard)
        events.lagUnknown.publish({ groupId: first.groupId, error })
    }
  }
}

function partitionsByTopic(
  all: readonly AskedPartition[],
): { readonly topic: string; readonly partitions: readonly number[] }[] {
  const byTopic = Map.groupBy(all, ({ topic }) => topic)
  return Array.from(byTopic, ([topic, list]) => ({
    topic,
    partitions: list.map(({ partition }) => partition),
  }))
}
