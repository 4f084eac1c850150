import type { Client, OwnedPartition, Producer } from '../../client/index.ts'
import { sleep, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { followPartition, OwnedTopic, type OwnedTopicOptions } from '../owned-topic/index.ts'
import { reasonOf } from '../owner/describe.ts'
import type { EncodedMessage, Runnable, RunnableContext } from '../ports.ts'
import type { Schedule } from './define-schedule.ts'
import { DueIndex, isBefore, type DueEntry } from './due-index.ts'
import { readEnvelope } from './envelope.ts'

/** Messages that come due within this go together. */
const resolutionMs = 100
const mostAtOnce = 1000
/** Wall clocks jump: nobody sleeps longer than this, whatever he waits for. */
const longestSleepMs = 1000
/** A partition that cannot be read holds the others up for so long. */
const loadingMs = 10_000
const firstRetryMs = 1000
const longestRetryMs = 600_000
/** Records that lie so near to each other are read in one go. */
const nearOffsets = 200

type GroupSettings = Pick<OwnedTopicOptions, 'groupId' | 'sessionTimeoutMs' | 'heartbeatIntervalMs'>

interface Waiting {
  readonly partition: OwnedPartition
  readonly index: DueIndex
  isReady: boolean
  /** Until then the others wait for it, so that what is overdue goes in order over all of them. */
  readonly waitedForMs: number
}

interface Parts {
  readonly client: Client
  readonly producer: Producer
  readonly clock: Clock
  readonly topic: string
}

interface Due {
  readonly at: Waiting
  readonly entry: DueEntry
}

/**
 * Sends what is due of the partitions that this worker owns, over all of them in the order of time.
 *
 *     due -> the records are read -> sent, in order -> acknowledged -> a tombstone for each -> forgotten
 *
 * Between acknowledgement and tombstone a crash repeats the message, under the same `millrace-id`.
 */
export class Scheduler implements Runnable {
  readonly name: string
  readonly #schedule: Schedule
  readonly #group: GroupSettings
  readonly #waiting = new Set<Waiting>()
  readonly #stopping = new AbortController()
  #owned: OwnedTopic | undefined
  #loop: Promise<void> = Promise.resolve()
  #wake: (() => void) | undefined
  #parts: Parts | undefined

  constructor(schedule: Schedule, group: GroupSettings) {
    this.name = `schedule ${schedule.name}`
    this.#schedule = schedule
    this.#group = group
  }

  start({ clients, clock, wireName }: RunnableContext): Promise<void> {
    const topic = wireName(this.#schedule.topic.name)
    const client = clients.main
    const producer = clients.producers.producer({ acks: -1 })
    this.#parts = { client, producer, clock, topic }
    this.#owned = new OwnedTopic({
      ...this.#group,
      client,
      clock,
      topic,
      type: 'schedule',
      own: (partition, ending) => this.#own(partition, ending),
    })
    this.#owned.start()
    this.#loop = this.#run()
    return Promise.resolve()
  }

  async stop({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    const { clock, producer } = this.#parts ?? {}
    this.#stopping.abort(new DOMException('the worker stops', 'AbortError'))
    this.#wake?.()
    if (clock === undefined || producer === undefined) return
    const limit = new AbortController()
    await Promise.race([this.#loop, sleep(clock, timeoutMs / 2, limit.signal)])
    limit.abort(new Error('ended'))
    await this.#owned?.stop(timeoutMs / 2)
    await producer.close({ timeoutMs: 0 })
  }

  health(): ReturnType<Runnable['health']> {
    const cause = this.#owned?.failure
    const reasons = cause === undefined ? [] : [`${this.name} cannot run: ${reasonOf(cause)}`]
    return { isLive: true, isReady: reasons.length === 0, reasons }
  }

  /** For its time with a partition: what lies there is read first, what was sent or ended is passed over. */
  async #own(partition: OwnedPartition, ending: AbortSignal): Promise<void> {
    const { client, clock } = this.#parts as Parts
    const waiting: Waiting = {
      partition,
      index: new DueIndex(),
      isReady: false,
      waitedForMs: clock.monotonicMs() + loadingMs,
    }
    this.#waiting.add(waiting)
    try {
      await followPartition(client, partition, ending, {
        onMessage: (message) => {
          waiting.index.add(message)
          this.#wake?.()
        },
        onCaughtUp: () => {
          waiting.isReady = true
          this.#wake?.()
        },
      })
    } finally {
      this.#waiting.delete(waiting)
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts as Parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#tidy()
        const now = clock.now()
        const due = this.#isLoading ? [] : this.#takeDue(now)
        if (due.length > 0) await this.#flush(due)
        else await this.#sleepUntilDue(now)
      } catch (error) {
        if (signal.aborted) return
        events.error.publish({ type: 'schedule', error })
        await sleep(clock, firstRetryMs, signal).catch(() => {})
      }
    }
  }

  get #isLoading(): boolean {
    const now = (this.#parts as Parts).clock.monotonicMs()
    return [...this.#waiting].some(({ isReady, waitedForMs }) => !isReady && now < waitedForMs)
  }

  /** The earliest of all partitions, in order. */
  #takeDue(nowMs: number): readonly Due[] {
    const due: Due[] = []
    const ready = [...this.#waiting].filter(
      ({ isReady, partition }) => isReady && partition.isOwned,
    )
    while (due.length < mostAtOnce) {
      let first: Waiting | undefined
      for (const at of ready)
        if ((at.index.nextMs ?? Infinity) < (first?.index.nextMs ?? Infinity)) first = at
      const entry = first?.index.take(nowMs)
      if (first === undefined || entry === undefined) break
      due.push({ at: first, entry })
    }
    return due.toSorted((left, right) => (isBefore(left.entry, right.entry) ? -1 : 1))
  }

  async #sleepUntilDue(nowMs: number): Promise<void> {
    const { clock } = this.#parts as Parts
    let nextMs = Infinity
    if (!this.#isLoading)
      for (const { index, isReady } of this.#waiting)
        if (isReady) nextMs = Math.min(nextMs, index.nextMs ?? Infinity)
    // To the next tenth of a second, so that what is due about then goes together, and nothing too early.
    const untilMs = Math.ceil(nextMs / resolutionMs) * resolutionMs
    const forMs = Math.min(Math.max(untilMs - nowMs, 1), longestSleepMs)
    await new Promise<void>((resolve) => {
      const timer = clock.after(forMs, resolve)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#wake = undefined
  }

  async #flush(due: readonly Due[]): Promise<void> {
    const { clock, producer } = this.#parts as Parts
    let messages: ReadonlyMap<DueEntry, EncodedMessage>
    try {
      messages = await this.#read(due)
    } catch (error) {
      for (const one of due) this.#again(one, clock.now())
      throw error
    }
    const sends = due.map(async ({ at, entry }) => {
      const message = messages.get(entry)
      // Replaced or cancelled, and compacted away, before its owner has seen that.
      if (message === undefined || entry.isGone) return at.index.remove(entry)
      const sent = await producer.send(message)
      if (events.scheduleSent.isHeard)
        events.scheduleSent.publish({
          schedule: this.#schedule.name,
          id: entry.id,
          topic: sent.topic,
          dueMs: entry.dueMs,
          lateMs: clock.now() - entry.dueMs,
        })
    })
    const results = await Promise.allSettled(sends)
    for (const [index, result] of results.entries()) {
      const one = due[index] as Due
      if (result.status === 'fulfilled') {
        one.at.index.remove(one.entry)
        one.at.index.giveGarbage([one.entry.key])
      } else {
        events.error.publish({ type: 'schedule', error: result.reason })
        this.#again(one, clock.now())
      }
    }
    await this.#tidy()
  }

  /** Later, and ever later: what is refused for good must not hold up the others. */
  #again({ at, entry }: Due, nowMs: number): void {
    entry.failures += 1
    entry.notBeforeMs = nowMs + Math.min(firstRetryMs * 2 ** (entry.failures - 1), longestRetryMs)
    at.index.push(entry)
  }

  /** Tombstones for records that nobody needs. */
  async #tidy(): Promise<void> {
    const { producer, topic } = this.#parts as Parts
    for (const { partition, index, isReady } of this.#waiting) {
      if (!isReady || !partition.isOwned) continue
      const keys = index.takeGarbage()
      if (keys.length === 0) continue
      const at = { topic, partition: partition.partition, value: null }
      try {
        await Promise.all(keys.map((key) => producer.send({ ...at, key })))
      } catch (error) {
        index.giveGarbage(keys)
        throw error
      }
    }
  }

  /** The messages of entries that are still there. */
  async #read(due: readonly Due[]): Promise<ReadonlyMap<DueEntry, EncodedMessage>> {
    const { client } = this.#parts as Parts
    const found = new Map<DueEntry, EncodedMessage>()
    const reads = Array.from(
      Map.groupBy(due, ({ at }) => at),
      async ([at, list]) => {
        const byOffset = new Map(list.map(({ entry }) => [entry.offset, entry]))
        for (const [first, last] of ranges([...byOffset.keys()])) {
          const { topic, partition } = at.partition
          await using reader = client.reader({
            partitions: [{ topic, partition }],
            from: first,
            to: last + 1,
          })
          for await (const message of reader) {
            const entry = byOffset.get(message.offset)
            const envelope = entry === undefined ? undefined : readEnvelope(message)
            if (entry !== undefined && envelope !== undefined) found.set(entry, envelope)
          }
        }
      },
    )
    await Promise.all(reads)
    return found
  }
}

/** Offsets as first and last of runs that are read in one go. */
function ranges(offsets: readonly number[]): readonly (readonly [first: number, last: number])[] {
  const runs: [number, number][] = []
  for (const offset of offsets.toSorted((left, right) => left - right)) {
    const run = runs.at(-1)
    if (run !== undefined && offset - run[1] <= nearOffsets) run[1] = offset
    else runs.push([offset, offset])
  }
  return runs
}
