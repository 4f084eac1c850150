/**
 * One partition for the time it is read: its position, its queue of fetched batches, its user's wishes.
 *
 * - Hands over in offset order, nothing twice, nothing once it was revoked, lost or closed.
 * - `version` changes with every seek and at the end: an answer asked for under another version is dropped.
 * - Holds whole batches; records are cut when they are taken, one object per message and nothing else.
 * - A batch that cannot be read stops the partition (`failure`); it is never skipped.
 */
import { failure, MillraceError } from '../../errors/index.ts'
import { RecordCursor } from '../../protocol/index.ts'
import { AbortedFilter } from './aborted-filter.ts'
import type { ClientMessage } from './message.ts'
import type { QueuedBatch, ReadAnswer } from './read-answer.ts'

/** Where to go on: an offset, an end of the log, or the first message at or after a time. */
export type SeekTarget = number | 'earliest' | 'latest' | { readonly timestampMs: number }

export interface Committed {
  readonly offset: number
  readonly metadata: string
}

/** What a partition tells whoever feeds it. */
export interface FeedOwner {
  /** It may be wanted again: resumed, sought, drained below its share. */
  feedChanged(feed: PartitionFeed): void
  feedFailed(feed: PartitionFeed, error: MillraceError): void
  resolveOffset(feed: PartitionFeed, to: Exclude<SeekTarget, number>): Promise<number>
}

/** `revoking`: hands over nothing more, but may still commit. */
export type FeedState = 'live' | 'revoking' | 'ended'

const nothing: readonly ClientMessage[] = Object.freeze([])

export class PartitionFeed {
  readonly topic: string
  readonly partition: number
  readonly #owner: FeedOwner
  readonly #maxInflatedBytes: number | undefined
  readonly filter: AbortedFilter | undefined

  /** -1 until it is known. */
  fetchOffset = -1
  version = 0
  /** The version that an outstanding Fetch was sent under; -1: none. */
  askedVersion = -1
  /** Monotonic time before which it is not fetched again. */
  retryAtMs = 0
  attempts = 0
  /** Larger than the share while one batch does not fit it. */
  neededBytes = 0
  /** The checksum was wrong once at this offset. */
  suspectOffset = -1
  /** Id of the topic that the position belongs to; empty until it is fetched. */
  topicId = ''
  committed: Committed | null = null
  highWatermark = -1
  lastStableOffset = -1
  logStartOffset = -1
  bufferedBytes = 0
  buffered = 0

  #state: FeedState = 'live'
  #isPaused = false
  #isTelling = false
  #failure: MillraceError | undefined
  #position = -1
  #positionEpoch = -1
  #queue: QueuedBatch[] = []
  #head = 0
  readonly #waiting = new Set<() => void>()

  constructor(
    topic: string,
    partition: number,
    owner: FeedOwner,
    options: { readonly isReadCommitted: boolean; readonly maxInflatedBytes?: number | undefined },
  ) {
    this.topic = topic
    this.partition = partition
    this.#owner = owner
    this.#maxInflatedBytes = options.maxInflatedBytes
    this.filter = options.isReadCommitted ? new AbortedFilter() : undefined
  }

  get state(): FeedState {
    return this.#state
  }

  get isOwned(): boolean {
    return this.#state !== 'ended'
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get failure(): MillraceError | null {
    return this.#failure ?? null
  }

  get position(): number {
    return this.#position
  }

  /** Leader epoch of the message before the position, for commits (KIP-320). */
  get positionEpoch(): number {
    return this.#positionEpoch
  }

  get endOffset(): number {
    return this.filter ? this.lastStableOffset : this.highWatermark
  }

  get lag(): number {
    return this.endOffset < 0 || this.#position < 0
      ? -1
      : Math.max(0, this.endOffset - this.#position)
  }

  /** Owned, at a known position, not paused, not broken: somebody waits for its messages. */
  get isReadable(): boolean {
    return (
      this.#state === 'live' &&
      !this.#isPaused &&
      this.fetchOffset >= 0 &&
      this.#failure === undefined
    )
  }

  readonly take = (max: number): readonly ClientMessage[] => {
    if (this.#state !== 'live' || this.#isPaused || this.#head === this.#queue.length)
      return nothing
    const messages: ClientMessage[] = []
    try {
      while (messages.length < max && this.#head < this.#queue.length)
        this.#takeFrom(this.#queue[this.#head]!, messages, max)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      const { topic, partition } = this
      const offset = this.#position
      // Everything behind it goes too: after `resume` reading starts again at the position.
      this.#drop()
      this.fetchOffset = offset
      const context = { topic, partition, offset, what: error.message }
      this.fail(failure('MR_FETCH_CORRUPT', context, { cause: error }))
    }
    return messages
  }

  readonly available = (signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    if (this.#isAvailable()) return Promise.resolve()
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(look)
        signal?.removeEventListener('abort', onAbort)
      }
      const look = (): void => {
        if (this.#isAvailable()) {
          end()
          resolve()
        } else if (this.#failure) {
          end()
          reject(this.#failure)
        }
      }
      const onAbort = (): void => {
        end()
        reject(signal?.reason as Error)
      }
      this.#waiting.add(look)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  readonly pause = (): void => {
    this.#isPaused = true
  }

  readonly resume = (): void => {
    this.#isPaused = false
    // Without a position there is nothing to try again; silence would be worse than the same failure.
    if (this.fetchOffset >= 0) this.#failure = undefined
    this.suspectOffset = -1
    this.retryAtMs = 0
    this.#changed()
  }

  readonly seek = async (to: SeekTarget): Promise<void> => {
    if (this.#state === 'ended') return
    const before = this.#position
    const beforeEpoch = this.#positionEpoch
    this.#drop()
    const { version } = this
    if (typeof to === 'number') {
      this.startAt(to)
      return
    }
    this.#position = -1
    this.fetchOffset = -1
    try {
      const offset = await this.#owner.resolveOffset(this, to)
      if (this.version === version) this.startAt(offset)
    } catch (error) {
      // A place that cannot be found loses nothing: what was queued is fetched again.
      if (this.version === version && before >= 0) this.startAt(before, beforeEpoch)
      throw error
    }
  }

  /** The position is known. @param leaderEpoch - of the message before it, where a commit told */
  startAt(offset: number, leaderEpoch = -1): void {
    if (this.#state === 'ended') return
    this.#position = offset
    this.#positionEpoch = leaderEpoch
    this.fetchOffset = offset
    this.#changed()
  }

  /** Starts over elsewhere in the log: what was queued stays, what follows comes from `offset`. */
  jumpTo(offset: number): void {
    if (this.#state === 'ended') return
    this.filter?.clear()
    this.fetchOffset = offset
    this.version++
    const last = this.#queue.at(-1)
    if (last) last.nextOffset = offset
    else this.#position = offset
    this.#changed()
  }

  /** Takes what an answer held. */
  enqueue({ batches, nextOffset }: ReadAnswer): void {
    if (this.#state !== 'live') return
    const last = this.#queue.at(-1)
    this.fetchOffset = nextOffset
    if (batches.length === 0) {
      if (last) last.nextOffset = nextOffset
      else this.#position = Math.max(this.#position, nextOffset)
    } else {
      if (this.#head === this.#queue.length) {
        this.#queue = []
        this.#head = 0
      }
      let delivered = 0
      for (const batch of batches) {
        this.#queue.push(batch)
        this.buffered += batch.count
        delivered += batch.bytes.length
      }
      this.bufferedBytes += delivered
    }
    this.#wake()
  }

  /** Calls back whenever `available` might answer otherwise. For the feed's life. */
  listen(look: () => void): void {
    this.#waiting.add(look)
  }

  /** An empty answer came: whoever waits for the end of the log may look. */
  touch(): void {
    this.#wake()
  }

  /** Stops the partition until `resume` or `seek`. */
  fail(error: MillraceError): void {
    if (this.#failure || this.#state === 'ended') return
    this.#failure = error
    this.#owner.feedFailed(this, error)
    this.#wake()
  }

  /** No more hand-over; commits may still go out. */
  revoke(): void {
    if (this.#state !== 'live') return
    this.#state = 'revoking'
    this.#drop()
    // Whoever waits now is told. A later call waits for the end: nothing can come, and a loop over `isOwned` would spin.
    this.#isTelling = true
    this.#wake()
    this.#isTelling = false
  }

  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#drop()
    this.#wake()
  }

  #takeFrom(batch: QueuedBatch, messages: ClientMessage[], max: number): void {
    const cursor = (batch.cursor ??= new RecordCursor(
      batch.bytes,
      this.#maxInflatedBytes === undefined ? {} : { maxInflatedBytes: this.#maxInflatedBytes },
    ))
    const { topic, partition } = this
    const { timestampType, receivedAt, leaderEpoch } = batch
    while (messages.length < max && cursor.advance()) {
      const { offset } = cursor
      // A batch that holds the position also holds what lies before it.
      if (offset < this.#position) continue
      messages.push({
        topic,
        partition,
        offset,
        timestamp: cursor.timestamp,
        timestampType,
        key: cursor.key(),
        value: cursor.value(),
        headers: cursor.headers(),
        receivedAt,
        leaderEpoch,
      })
      this.#position = offset + 1
    }
    this.#positionEpoch = leaderEpoch
    if (cursor.read < cursor.count) return
    this.#position = batch.nextOffset
    this.#head++
    this.buffered -= batch.count
    this.bufferedBytes -= batch.bytes.length
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    } else if (this.#head >= 64) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
    this.#owner.feedChanged(this)
  }

  #isAvailable(): boolean {
    if (this.#state === 'ended' || this.#isTelling) return true
    return this.#state === 'live' && !this.#isPaused && this.#head < this.#queue.length
  }

  #drop(): void {
    this.version++
    this.#queue = []
    this.#head = 0
    this.buffered = 0
    this.bufferedBytes = 0
    this.neededBytes = 0
    this.suspectOffset = -1
    this.retryAtMs = 0
    this.#failure = undefined
    this.filter?.clear()
  }

  #changed(): void {
    this.#wake()
    this.#owner.feedChanged(this)
  }

  #wake(): void {
    for (const look of this.#waiting) look()
  }
}
