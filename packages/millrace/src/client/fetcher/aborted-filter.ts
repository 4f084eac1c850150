/**
 * Hides aborted transactions from a read_committed reader of one partition (KIP-98).
 *
 * An answer lists the aborted transactions that overlap it, by producer and first offset; where one
 * ends, only its control batch tells. Data and marker may come in different answers, so both the
 * list and the producers that are being skipped are carried from answer to answer. Kafka repeats a
 * transaction in every answer it overlaps: an entry that is there already is not added again.
 */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export class AbortedFilter {
  /** Transactions whose first offset has not been reached yet, by first offset. */
  #ahead: AbortedTransaction[] = []
  /** Producers between the first offset and the marker of an aborted transaction. */
  readonly #open = new Set<number>()

  /** Takes what an answer lists, before its batches are asked about. */
  add(listed: readonly AbortedTransaction[]): void {
    if (listed.length === 0) return
    for (const one of listed)
      if (!this.#ahead.some((known) => isSame(known, one))) this.#ahead.push(one)
    this.#ahead.sort((left, right) => left.firstOffset - right.firstOffset)
  }

  /** Call for each batch in order. True: its messages were aborted and are not delivered. */
  isAborted(producerId: number, lastOffset: number, isTransactional: boolean): boolean {
    let reached = 0
    while (reached < this.#ahead.length && this.#ahead[reached]!.firstOffset <= lastOffset)
      this.#open.add(this.#ahead[reached++]!.producerId)
    if (reached > 0) this.#ahead = this.#ahead.slice(reached)
    return isTransactional && this.#open.has(producerId)
  }

  /** The marker that ends a producer's aborted transaction. */
  end(producerId: number, lastOffset: number): void {
    this.isAborted(producerId, lastOffset, false)
    this.#open.delete(producerId)
  }

  /** After a seek nothing that was known holds. */
  clear(): void {
    this.#ahead = []
    this.#open.clear()
  }
}

function isSame(left: AbortedTransaction, right: AbortedTransaction): boolean {
  return left.producerId === right.producerId && left.firstOffset === right.firstOffset
}
