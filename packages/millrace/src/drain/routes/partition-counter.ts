import { foldLines, type CountedLine, type RouteIncrements } from './fold.ts'
import type { RouteStore } from './store.ts'

/** A message with its place; `line` is undefined when it holds no complete router line. */
export interface PlacedLine {
  readonly offset: number
  readonly line: CountedLine | undefined
}

export type CountResult =
  /** Everything up to the last message is counted, by us or by somebody else. */
  | {
      readonly state: 'counted'
      readonly lines: number
      readonly from: number
      readonly to: number
    }
  /** The store stands before these messages: reading must go on there. */
  | { readonly state: 'behind'; readonly position: number }
  /** The store has lost the partition: everything must be counted again. */
  | { readonly state: 'emptied' }

/**
 * Counts one partition into a store, each line once. The position it starts from is the store's, not the group's:
 * the group's may lag behind by a crash, or be ahead when the store was restored from an older copy.
 */
export class PartitionCounter {
  readonly #store: RouteStore
  readonly #fence: string
  readonly #routeOf: (target: string) => string
  #position: number | null

  private constructor(
    store: RouteStore,
    fence: string,
    routeOf: (target: string) => string,
    position: number | null,
  ) {
    this.#store = store
    this.#fence = fence
    this.#routeOf = routeOf
    this.#position = position
  }

  /** @param fence - `<group>/<topic>/<partition>` */
  static async open(
    store: RouteStore,
    fence: string,
    routeOf: (target: string) => string,
  ): Promise<PartitionCounter> {
    return new PartitionCounter(store, fence, routeOf, await store.position(fence))
  }

  /** The next offset to count, or null when the store knows nothing of this partition. */
  get position(): number | null {
    return this.#position
  }

  /**
   * Nails the beginning down before anything is counted, so that a crash before the first batch does not begin
   * at another end of the topic.
   */
  async begin(position: number): Promise<void> {
    const nothing: RouteIncrements = foldLines([], { routeOf: this.#routeOf, seriesFromMs: 0 })
    const result = await this.#store.apply(this.#fence, { ...nothing, from: null, to: position })
    this.#position = result.isApplied ? position : result.position
  }

  /** @param messages - in order of their offsets, of one partition */
  async count(messages: readonly PlacedLine[], seriesFromMs: number): Promise<CountResult> {
    const last = messages.at(-1)
    if (!last) return this.#counted(0, this.#position ?? 0)
    const to = last.offset + 1
    for (;;) {
      const from = this.#position
      if (from !== null && from >= to) return this.#counted(0, from)
      const first = messages[0]
      if (from !== null && first && from < first.offset && this.#isStray) {
        return { state: 'behind', position: from }
      }
      const lines = messages.filter(({ offset }) => from === null || offset >= from)
      const increments = foldLines(
        lines.map(({ line }) => line),
        { routeOf: this.#routeOf, seriesFromMs },
      )
      const result = await this.#store.apply(this.#fence, { ...increments, from, to })
      if (result.isApplied) {
        this.#position = to
        this.#isStray = false
        return this.#counted(increments.lines, from ?? first?.offset ?? to)
      }
      if (result.position === null) {
        this.#position = null
        return { state: 'emptied' }
      }
      this.#position = result.position
      this.#isStray = true
    }
  }

  /**
   * True after the store answered with a position of its own. Only then may messages lie between that position
   * and the first one in hand; otherwise a gap is nothing but control records or deleted ones.
   */
  #isStray = false

  #counted(lines: number, from: number): CountResult {
    return { state: 'counted', lines, from, to: this.#position ?? from }
  }
}
