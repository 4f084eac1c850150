/**
 * What of one partition was delivered and not yet acknowledged, for as long as the partition is held. Pure.
 *
 *   delivered, by offset:   7  9 10 11 14          next: 15
 *   acknowledged:              x     x
 *   position:               7        (8 and 12, 13 are no messages: markers, compacted away)
 *
 * - `position` is what may be committed: everything below it was acknowledged.
 * - What an earlier holder of the partition knew as acknowledged above the committed offset stays so.
 * - Memory follows the number of pending entries, however far apart they lie.
 */

import type { Runs } from '../../client/index.ts'

/** Who has entries; counts them over all partitions. */
export interface Holder {
  readonly name: string
  pending: number
}

export interface PendingEntry {
  readonly offset: number
  /** Null once it was acknowledged. */
  holder: Holder | null
  /** Of the last delivery or claim, by the clock's monotonic time. */
  deliveredAtMs: number
  deliveries: number
}

/** Acknowledged entries that may lie between pending ones before they are cleared away. */
const slack = 1024

export class PartitionLedger {
  readonly topic: string
  readonly partition: number
  #entries: PendingEntry[] = []
  #head = 0
  #pending = 0
  #next = -1
  /** From earlier, not passed yet. */
  #known: Runs

  constructor(topic: string, partition: number, known: Runs = []) {
    this.topic = topic
    this.partition = partition
    this.#known = known
  }

  /** Entries that wait for an acknowledgement. */
  get pending(): number {
    return this.#pending
  }

  /** Offset that a commit may show; -1 while nothing was delivered. */
  get position(): number {
    if (this.#head < this.#entries.length) return this.#entries[this.#head]!.offset
    const next = this.#next
    const known = this.#known
    if (next < 0) return next
    // What comes next may be acknowledged from earlier.
    for (let index = 0; index < known.length && known[index]! <= next; index += 2)
      if (known[index + 1]! > next) return known[index + 1]!
    return next
  }

  /** Is it acknowledged from earlier? Offsets ascend. */
  isKnown(offset: number): boolean {
    const known = this.#known
    if (known.length === 0) return false
    let passed = 0
    while (passed < known.length && known[passed + 1]! <= offset) passed += 2
    if (passed > 0) this.#known = known.slice(passed)
    return offset >= (this.#known[0] ?? Infinity)
  }

  /** What is acknowledged above the position. */
  get ahead(): Runs {
    const runs: number[] = []
    const { position } = this
    let from = -1
    for (let index = this.#head; index < this.#entries.length; index++) {
      const { offset, holder } = this.#entries[index]!
      if (holder === null) continue
      if (from >= 0 && offset > from) runs.push(from, offset)
      from = offset + 1
    }
    if (from >= 0 && this.#next > from) runs.push(from, this.#next)
    for (let index = 0; index < this.#known.length; index += 2) {
      const begin = Math.max(this.#known[index]!, this.#next)
      const end = this.#known[index + 1]!
      if (begin >= end) continue
      // Where the two meet they are one; below the position there is nothing to tell.
      if (runs.at(-1) === begin) runs[runs.length - 1] = end
      else if (begin > position) runs.push(begin, end)
    }
    return runs
  }

  /** Offsets ascend. `holder` null: nobody has to acknowledge it. */
  deliver(offset: number, holder: Holder | null, nowMs: number): void {
    this.#next = offset + 1
    if (holder === null) return
    this.#entries.push({ offset, holder, deliveredAtMs: nowMs, deliveries: 1 })
    this.#pending++
    holder.pending++
  }

  /** Who had it; undefined when it was not pending. */
  acknowledge(offset: number): Holder | undefined {
    const entry = this.find(offset)
    if (entry === undefined) return undefined
    const holder = entry.holder!
    entry.holder = null
    this.#pending--
    holder.pending--
    this.#clear()
    return holder
  }

  /** The entry when it is pending. */
  find(offset: number): PendingEntry | undefined {
    const entry = this.#entries[this.#indexOf(offset)]
    return entry?.offset === offset && entry.holder !== null ? entry : undefined
  }

  /** Pending entries from an offset on, in order. The ledger stays as it is meanwhile. */
  *from(offset: number): Generator<PendingEntry, void, undefined> {
    for (let index = this.#indexOf(offset); index < this.#entries.length; index++) {
      const entry = this.#entries[index]!
      if (entry.holder !== null) yield entry
    }
  }

  /** Gives a pending entry to somebody. */
  give(entry: PendingEntry, holder: Holder): void {
    if (entry.holder === null || entry.holder === holder) return
    entry.holder.pending--
    holder.pending++
    entry.holder = holder
  }

  /** The partition is gone: its entries leave their holders. */
  end(): void {
    for (let index = this.#head; index < this.#entries.length; index++) {
      const { holder } = this.#entries[index]!
      if (holder !== null) holder.pending--
    }
    this.#entries = []
    this.#head = 0
    this.#pending = 0
  }

  /** The first entry at or after an offset, acknowledged ones included. */
  #indexOf(offset: number): number {
    const entries = this.#entries
    let low = this.#head
    let high = entries.length
    // Mostly acknowledgements come in order.
    if (low < high && entries[low]!.offset >= offset) return low
    while (low < high) {
      const middle = (low + high) >>> 1
      if (entries[middle]!.offset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  #clear(): void {
    const entries = this.#entries
    while (this.#head < entries.length && entries[this.#head]!.holder === null) this.#head++
    if (this.#head === entries.length) {
      this.#entries = []
      this.#head = 0
    } else if (entries.length - this.#pending > slack + this.#pending) {
      this.#entries = entries.filter(({ holder }) => holder !== null)
      this.#head = 0
    }
  }
}
