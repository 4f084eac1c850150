import type { Segment } from './segment.ts'

/** At most 320 KiB each, at 64 MiB a segment. */
const limit = 128

/** Which sealed segments hold their indexes in memory: the ones loaded last. */
export class IndexCache {
  readonly #segments = new Set<Segment>()

  add(segment: Segment): void {
    if (!segment.isSealed) return
    this.#segments.delete(segment)
    this.#segments.add(segment)
    if (this.#segments.size <= limit) return
    const [oldest] = this.#segments
    if (!oldest) return
    oldest.dropIndexes()
    this.#segments.delete(oldest)
  }

  remove(segment: Segment): void {
    this.#segments.delete(segment)
  }
}
