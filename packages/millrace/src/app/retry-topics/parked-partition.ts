import { decodeParked, type ParkedFeed } from './parked-log.ts'
import { ParkedView, type ParkedRecord } from './parked-view.ts'

/**
 * The view of one partition's parked topic, with what this worker has written itself. Its own writes count as soon as they are
 * acknowledged; what the feed brings later about the same message is older, until it brings that very record.
 */
export class ParkedPartition {
  readonly #feed: ParkedFeed
  readonly #view = new ParkedView()
  /** Source offset -> offset of the record that was applied without the feed. */
  readonly #ahead = new Map<number, number>()

  constructor(feed: ParkedFeed) {
    this.#feed = feed
  }

  /** False: what is parked is not known yet. @param through - offset of a record that must be known */
  isKnown(through: number): boolean {
    for (const entry of this.#feed.take()) {
      const decoded = decodeParked(entry)
      if (decoded === undefined) continue
      const { source, record } = decoded
      const ahead = this.#ahead.get(source)
      if (ahead !== undefined) {
        if (entry.offset < ahead) continue
        this.#ahead.delete(source)
      }
      this.#apply(source, record)
    }
    return this.#feed.isLoaded && this.#feed.position > through
  }

  /** The message has finished here; its tombstone is on its way, and nothing older counts meanwhile. */
  finishing(source: number): void {
    this.#ahead.set(source, Infinity)
    this.#view.finish(source)
  }

  /** A record of this worker was acknowledged at this offset; undefined stands for a tombstone. */
  wrote(source: number, record: ParkedRecord | undefined, offset: number): void {
    if (offset >= this.#feed.position) this.#ahead.set(source, offset)
    else this.#ahead.delete(source)
    this.#apply(source, record)
  }

  of(source: number): ParkedRecord | undefined {
    return this.#view.of(source)
  }

  /** Where the last one of this key before this message is parked. */
  before(key: string, source: number): ParkedRecord | undefined {
    return this.#view.before(key, source)
  }

  /** What others have written until now has to be known before anything is said again. */
  refresh(): void {
    this.#feed.refresh()
  }

  close(): void {
    this.#feed.close()
  }

  #apply(source: number, record: ParkedRecord | undefined): void {
    if (record === undefined) this.#view.finish(source)
    else this.#view.park(source, record)
  }
}
