/**
 * Reads partitions without a group: nothing is committed, nobody else is affected.
 *
 * - `to: 'end'` (default) ends each partition where its log ended when the reader opened, also when
 *   what lies there is compacted away, aborted, or a marker.
 * - Order holds within a partition; partitions take turns.
 * - A partition that cannot be read on makes the reader fail; nothing is skipped.
 */
import { failure, type MillraceError } from '../../errors/index.ts'
import { deferred } from '../../kit/index.ts'
import type { ClientCore } from '../client-core.ts'
import {
  Fetcher,
  listOffsets,
  type ClientMessage,
  type FetchLimits,
  type PartitionFeed,
  type ResetPolicy,
} from '../fetcher/index.ts'
import { defaultFetchLimits, type OwnedPartition, type TopicPartition } from '../group/index.ts'
import { retrying } from '../retrying.ts'

/** Where to begin, per partition. A negative number: that many offsets before the end. */
export type ReadFrom = 'earliest' | 'latest' | number | { readonly timestampMs: number }

/**
 * Where to stop, per partition: before an offset, before the first message at or after a time; where the log ended when
 * the reader opened, when that comes first.
 */
export type ReadTo = 'end' | 'forever' | number | { readonly timestampMs: number }

export interface ReaderOptions {
  /** All partitions of these, as they are when the reader opens. */
  readonly topics?: readonly string[]
  readonly partitions?: readonly TopicPartition[]
  /** Default `earliest`. */
  readonly from?: ReadFrom
  /** Default `end`. */
  readonly to?: ReadTo
  /** Default `read_committed`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /** When retention overtakes the reader; default `earliest`. */
  readonly outOfRange?: ResetPolicy
  readonly fetch?: Partial<FetchLimits>
  readonly maxInflatedBytes?: number
  /** Told of lost offsets and of what makes the reader fail. */
  readonly onError?: (error: MillraceError) => void
}

/** A partition of a reader: as a group's, but nobody commits or revokes. `isOwned` is false once it has ended. */
export type ReadPartition = Omit<OwnedPartition, 'committed'>

export interface Reader extends AsyncDisposable, AsyncIterable<ClientMessage> {
  /** Empty until `ready`. */
  readonly partitions: readonly ReadPartition[]
  /** Resolves when positions and ends are known. @throws MR_TOPIC_UNKNOWN, MR_PARTITION_UNKNOWN, MR_KAFKA_ERROR, MR_CLIENT_TIMEOUT */
  ready(): Promise<void>
  /** Up to `max` messages of one partition, at once; empty when none is buffered. Partitions take turns. */
  take(max: number): readonly ClientMessage[]
  /** False: every partition has ended. True: `take` may give something. @throws what makes the reader fail */
  available(signal?: AbortSignal): Promise<boolean>
  /** Idempotent. Leaving a `for await` does it too. */
  close(): Promise<void>
}

interface ReadFeed {
  readonly feed: PartitionFeed
  /** Exclusive; Infinity: never. */
  readonly endOffset: number
}

const takenAtOnce = 500

/** Opens a reader; positions are looked up in the background. */
export function openReader(
  core: ClientCore,
  options: ReaderOptions,
  onClosed: () => void = () => undefined,
): Reader {
  return new GrouplessReader(core, options, onClosed)
}

class GrouplessReader implements Reader {
  readonly #core: ClientCore
  readonly #options: ReaderOptions
  readonly #onClosed: () => void
  readonly #fetcher: Fetcher
  readonly #closing = new AbortController()
  readonly #ready: Promise<void>
  readonly #waiting = new Set<() => void>()
  #feeds: readonly ReadFeed[] = []
  /** Feeds that have not ended, the next to be served first. */
  #open: ReadFeed[] = []

  constructor(core: ClientCore, options: ReaderOptions, onClosed: () => void) {
    this.#core = core
    this.#options = options
    this.#onClosed = onClosed
    this.#fetcher = new Fetcher(core, {
      ...defaultFetchLimits,
      ...options.fetch,
      isReadCommitted: this.#isReadCommitted,
      outOfRange: options.outOfRange ?? 'earliest',
      maxInflatedBytes: options.maxInflatedBytes,
      onError: (error) => options.onError?.(error),
    })
    this.#ready = this.#start()
    this.#ready.catch(() => undefined)
  }

  get #isReadCommitted(): boolean {
    return this.#options.isolation !== 'read_uncommitted'
  }

  get partitions(): readonly ReadPartition[] {
    return this.#feeds.map(({ feed }) => feed)
  }

  ready(): Promise<void> {
    return this.#ready
  }

  take(max: number): readonly ClientMessage[] {
    for (let turn = this.#open.length; turn > 0; turn--) {
      const next = this.#open.shift()!
      const messages = upTo(next.endOffset, next.feed.take(max))
      if (next.feed.position >= next.endOffset) this.#end(next)
      else this.#open.push(next)
      if (messages.length > 0) return messages
    }
    return []
  }

  async available(signal?: AbortSignal): Promise<boolean> {
    await this.#ready
    for (;;) {
      signal?.throwIfAborted()
      this.#closing.signal.throwIfAborted()
      for (const one of this.#open.slice())
        if (one.feed.buffered === 0 && one.feed.position >= one.endOffset) this.#end(one)
      if (this.#open.length === 0) return false
      if (this.#open.some(({ feed }) => feed.buffered > 0 && !feed.isPaused)) return true
      for (const { feed } of this.#open) if (feed.failure) throw feed.failure
      await this.#woken(signal)
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ClientMessage, void, undefined> {
    try {
      while (await this.available()) yield* this.take(takenAtOnce)
    } finally {
      await this.close()
    }
  }

  close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort(failure('MR_CLIENT_CLOSED', { what: 'reader' }))
      for (const { feed } of this.#feeds) feed.end()
      this.#open = []
      this.#fetcher.close()
      this.#wake()
      this.#onClosed()
    }
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #start(): Promise<void> {
    const { signal } = this.#closing
    const partitions = await this.#partitions()
    const { from = 'earliest', to = 'end' } = this.#options
    // The end first: what arrives between the two look-ups would be read over and over.
    const wantsEnd = to === 'end' || typeof to === 'number' || isBeforeEnd(from)
    const ends = wantsEnd ? await this.#look(partitions, 'latest') : []
    const starts = await this.#look(
      partitions,
      typeof from === 'number' && from < 0 ? 'earliest' : from,
    )
    const stops = typeof to === 'object' ? await this.#look(partitions, to) : []
    signal.throwIfAborted()
    this.#feeds = partitions.map(({ topic, partition }, index) => {
      const feed = this.#fetcher.openFeed(topic, partition)
      feed.listen(() => this.#wake())
      const start = starts[index] ?? 0
      const end = ends[index] ?? 0
      feed.startAt(isBeforeEnd(from) ? Math.max(start, end + from) : start)
      return { feed, endOffset: endOf(to, end, stops[index]) }
    })
    this.#open = this.#feeds.slice()
    for (const one of this.#feeds) {
      if (one.feed.position >= one.endOffset) this.#end(one)
      else this.#fetcher.add(one.feed)
    }
  }

  async #partitions(): Promise<readonly TopicPartition[]> {
    const { topics = [], partitions = [] } = this.#options
    const { metadata, clock, apiTimeoutMs: timeoutMs } = this.#core
    const { signal } = this.#closing
    const all = new Map<string, TopicPartition>()
    const add = (topic: string, partition: number): void =>
      void all.set(`${topic}/${partition}`, { topic, partition })
    for (const { topic, partition } of partitions) {
      await metadata.leader(topic, partition, { signal })
      add(topic, partition)
    }
    // What is known may be minutes old, and partitions that have been added since would be left out in silence.
    const known = topics.filter((topic) => metadata.peek(topic))
    if (known.length > 0) {
      const what = `partitions of ${known.join(', ')}`
      await retrying({ what, clock, timeoutMs, signal }, (ending) =>
        metadata.refresh(known, { signal: ending, reason: 'a reader opens' }),
      )
    }
    for (const topic of topics) {
      const found = await metadata.topic(topic, { signal })
      for (const { partition } of found.partitions) add(topic, partition)
    }
    return Array.from(all.values())
  }

  async #look(partitions: readonly TopicPartition[], to: ReadFrom): Promise<readonly number[]> {
    if (typeof to === 'number') return partitions.map(() => to)
    const questions = partitions.map(({ topic, partition }) => ({ topic, partition, to }))
    return listOffsets(this.#core, questions, this.#isReadCommitted, this.#closing.signal)
  }

  #end(one: ReadFeed): void {
    this.#open = this.#open.filter((other) => other !== one)
    one.feed.end()
    this.#fetcher.remove(one.feed)
  }

  async #woken(signal: AbortSignal | undefined): Promise<void> {
    const woken = deferred()
    const wake = (): void => woken.resolve()
    this.#waiting.add(wake)
    signal?.addEventListener('abort', wake, { once: true })
    await woken.promise
    signal?.removeEventListener('abort', wake)
    this.#waiting.delete(wake)
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }
}

function isBeforeEnd(from: ReadFrom): from is number {
  return typeof from === 'number' && from < 0
}

function endOf(to: ReadTo, end: number, stop: number | undefined): number {
  if (to === 'forever') return Infinity
  if (to === 'end') return end
  return typeof to === 'number' ? Math.min(to, end) : (stop ?? end)
}

/** A batch may reach beyond the end of what is wanted. */
function upTo(endOffset: number, messages: readonly ClientMessage[]): readonly ClientMessage[] {
  const last = messages.at(-1)
  if (last === undefined || last.offset < endOffset) return messages
  return messages.filter(({ offset }) => offset < endOffset)
}
