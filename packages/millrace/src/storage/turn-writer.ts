import type { MillraceError } from '../errors/index.ts'
import { deferred, type Deferred } from '../kit/index.ts'
import type { DiskPartition } from './disk-partition.ts'

const alreadyWritten = Promise.resolve()

/**
 * Collects the partitions that got batches in this turn of the loop, and writes them all at its end: one call to
 * the disk per partition, one promise for everybody.
 */
export class TurnWriter {
  readonly #atEndOfTurn: (callback: () => void) => void
  #dirty = new Set<DiskPartition>()
  #turn: Deferred<void> | undefined

  constructor(atEndOfTurn: ((callback: () => void) => void) | undefined) {
    this.#atEndOfTurn = atEndOfTurn ?? setImmediate
  }

  add(partition: DiskPartition): void {
    if (this.#dirty.size === 0) this.#atEndOfTurn(() => this.flush())
    this.#dirty.add(partition)
  }

  has(partition: DiskPartition): boolean {
    return this.#dirty.has(partition)
  }

  written(): Promise<void> {
    if (this.#dirty.size === 0) return alreadyWritten
    this.#turn ??= deferred()
    return this.#turn.promise
  }

  /** All goes down, then the promise settles, then those who wait for data are told. */
  flush(): void {
    const dirty = this.#dirty
    const turn = this.#turn
    if (dirty.size === 0) return
    this.#dirty = new Set()
    this.#turn = undefined
    let first: MillraceError | undefined
    for (const partition of dirty) first = partition.flush() ?? first
    if (first) turn?.reject(first)
    else turn?.resolve()
    for (const partition of dirty) partition.notify()
  }
}
