import { readRecord } from './envelope.ts'
import type { SourceMessage } from '../ports.ts'

/** One message that waits: where it lies, and when it is due. Its body stays in the topic. */
export interface DueEntry {
  readonly id: string
  readonly dueMs: number
  readonly offset: number
  /** Of its record. */
  readonly key: string
  /** Not before this, after a failure. */
  notBeforeMs: number
  failures: number
  isGone: boolean
}

/**
 * What waits in one partition, built from its records in order: the newest with an id counts, a cancel ends what came
 * before it. Records that nobody needs any more collect in `garbage`, by key, until their tombstones are written.
 */
export class DueIndex {
  readonly #byKey = new Map<string, DueEntry>()
  readonly #byId = new Map<string, DueEntry>()
  /** A binary heap by time, then offset. Entries that are gone leave it when they come to the top. */
  readonly #heap: DueEntry[] = []
  #garbage = new Set<string>()

  get size(): number {
    return this.#byKey.size
  }

  add(record: SourceMessage): void {
    const key = record.key?.toString() ?? ''
    if (record.value === null) {
      this.#garbage.delete(key)
      this.remove(this.#byKey.get(key))
      return
    }
    const read = readRecord(record)
    if (read === undefined) return
    const before = this.#byId.get(read.id)
    if (before !== undefined) {
      this.remove(before)
      this.#garbage.add(before.key)
    }
    if (read.kind === 'cancel') {
      this.#garbage.add(key)
      return
    }
    const { id, dueMs } = read
    const { offset } = record
    const entry: DueEntry = {
      id,
      dueMs,
      offset,
      key,
      notBeforeMs: dueMs,
      failures: 0,
      isGone: false,
    }
    this.#byKey.set(key, entry)
    this.#byId.set(id, entry)
    this.push(entry)
  }

  /** When the next one may be sent. */
  get nextMs(): number | undefined {
    return this.#top()?.notBeforeMs
  }

  /** The next one that may be sent by now; it is the caller's until it is removed or pushed again. */
  take(nowMs: number): DueEntry | undefined {
    const top = this.#top()
    if (top === undefined || top.notBeforeMs > nowMs) return undefined
    this.#pop()
    return top
  }

  remove(entry: DueEntry | undefined): void {
    if (entry === undefined || entry.isGone) return
    entry.isGone = true
    this.#byKey.delete(entry.key)
    if (this.#byId.get(entry.id) === entry) this.#byId.delete(entry.id)
  }

  push(entry: DueEntry): void {
    if (entry.isGone) return
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(heap[parent] as DueEntry, entry)) break
      heap[at] = heap[parent] as DueEntry
      at = parent
    }
    heap[at] = entry
  }

  /** Keys whose records nobody needs; they are the caller's, who gives them back when it cannot end them. */
  takeGarbage(): readonly string[] {
    const keys = [...this.#garbage]
    this.#garbage = new Set()
    return keys
  }

  giveGarbage(keys: readonly string[]): void {
    for (const key of keys) this.#garbage.add(key)
  }

  #top(): DueEntry | undefined {
    while (this.#heap[0]?.isGone === true) this.#pop()
    return this.#heap[0]
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      const right = child + 1
      if (right < heap.length && isBefore(heap[right] as DueEntry, heap[child] as DueEntry))
        child = right
      if (isBefore(last, heap[child] as DueEntry)) break
      heap[at] = heap[child] as DueEntry
      at = child
    }
    heap[at] = last
  }
}

/** Earlier due ones first, then in the order in which they were given. */
export function isBefore(left: DueEntry, right: DueEntry): boolean {
  if (left.notBeforeMs !== right.notBeforeMs) return left.notBeforeMs < right.notBeforeMs
  return left.offset < right.offset
}
