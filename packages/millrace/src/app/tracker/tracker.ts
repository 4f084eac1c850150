/**
 * Which offsets of one partition are finished, and the position that may be committed: the one after the
 * highest **contiguous** finished message. Offsets may have gaps (compaction, control records); what counts is
 * the order in which messages were started.
 *
 *     started   7  8  9 12 13         position 8: a commit never passes an unfinished message,
 *     finished  x     x  x            although 9 and 12 are done
 */
export class Tracker {
  readonly #window: number
  /** Started and not yet passed by the position, ascending; those before #head are history. */
  #open: number[] = []
  #head = 0
  /** Finished above a gap. */
  readonly #ahead = new Set<number>()
  #next: number

  /**
   * @param position - the next offset to be started
   * @param window - most messages between position and newest started; at it, `isFull`
   */
  constructor(position: number, window = 10_000) {
    this.#next = position
    this.#window = window
  }

  /** The offset to commit: everything below it is finished. */
  get position(): number {
    return this.#open[this.#head] ?? this.#next
  }

  /** Messages that hold the position back, or were finished above one that does. */
  get span(): number {
    return this.#open.length - this.#head
  }

  get unfinished(): number {
    return this.span - this.#ahead.size
  }

  /** How many more may be started. */
  get room(): number {
    return Math.max(0, this.#window - this.span)
  }

  get isFull(): boolean {
    return this.room === 0
  }

  /** Offsets must rise; the same offset is not started twice (an attempt is not a start). */
  start(offset: number): void {
    this.#open.push(offset)
    this.#next = offset + 1
  }

  /** False when the offset is not open: finished before, or never started here. */
  finish(offset: number): boolean {
    if (offset !== this.#open[this.#head]) {
      if (this.#ahead.has(offset) || !this.#isOpen(offset)) return false
      this.#ahead.add(offset)
      return true
    }
    this.#head++
    for (let next = this.#open[this.#head]; next !== undefined; next = this.#open[this.#head]) {
      if (!this.#ahead.delete(next)) break
      this.#head++
    }
    this.#forget()
    return true
  }

  /**
   * What is finished above the position, as `[from, end, from, end...]`, ends exclusive. A run may span offsets that
   * no message has: nothing unfinished lies in it.
   */
  finishedAhead(): number[] {
    const runs: number[] = []
    let left = this.#ahead.size
    let isRun = false
    for (let index = this.#head; left > 0; index++) {
      const offset = this.#open[index] as number
      if (!this.#ahead.has(offset)) {
        isRun = false
        continue
      }
      left--
      if (isRun) runs[runs.length - 1] = offset + 1
      else runs.push(offset, offset + 1)
      isRun = true
    }
    return runs
  }

  /** The offset after the newest one that was started. */
  get next(): number {
    return this.#next
  }

  /** Finishes whatever is open up to the offset. */
  finishThrough(offset: number): void {
    while (this.position <= offset && this.span > 0) this.finish(this.position)
  }

  isFinished(offset: number): boolean {
    return offset < this.position || this.#ahead.has(offset)
  }

  /** Everything forgotten, as after a seek. */
  reset(position: number): void {
    this.#open = []
    this.#head = 0
    this.#ahead.clear()
    this.#next = position
  }

  #isOpen(offset: number): boolean {
    let low = this.#head
    let high = this.#open.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const value = this.#open[middle] as number
      if (value === offset) return true
      if (value < offset) low = middle + 1
      else high = middle - 1
    }
    return false
  }

  #forget(): void {
    if (this.#head === this.#open.length) {
      this.#open.length = 0
      this.#head = 0
    } else if (this.#head > 1024) {
      this.#open.splice(0, this.#head)
      this.#head = 0
    }
  }
}
