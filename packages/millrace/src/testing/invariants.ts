/** A partition as one group reads it. Topics by their names on the wire. */
export interface Spot {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

/** One call of a handler. `scopes[i]` is the order scope of `offsets[i]`; undefined where no order is promised. */
export interface ObservedJob extends Spot {
  readonly offsets: readonly number[]
  readonly scopes: readonly (string | undefined)[]
  readonly attempt: number
}

interface Started {
  readonly scope: string | undefined
  /** By how many handler calls it is being handled now. */
  running: number
}

interface Reading {
  /** Workers that own it now. */
  readonly owners: Set<number>
  /** Owned at least once, by worker: before that nothing can be said. */
  readonly known: Set<number>
  /** Started and not finished. */
  readonly open: Map<number, Started>
  /** Handled, skipped, dead-lettered or declared away. */
  readonly finished: Set<number>
  /** By offset and attempt, what was told. */
  readonly failures: Map<string, Set<unknown>>
  first: number | undefined
  /** A handler moved the position by hand: what lies between is its business. */
  isMoved: boolean
}

/**
 * Holds what a running application does against what Millrace promises. Told of facts, one after the other; knows no
 * clock, no events and no broker.
 *
 * The numbers are those of the promises in docs/guides/testing.md.
 */
export class InvariantChecker {
  readonly violations: string[] = []
  readonly #readings = new Map<string, Reading>()
  readonly #crashed = new Set<number>()

  assigned(worker: number, spot: Spot): void {
    const reading = this.#at(spot)
    for (const other of reading.owners)
      if (other !== worker) this.#broken(4, spot, `belongs to two workers at once`)
    reading.owners.add(worker)
    reading.known.add(worker)
    reading.failures.clear()
  }

  /** Given back or lost: from now on nothing of this worker counts here. */
  released(worker: number, spot: Spot): void {
    const reading = this.#at(spot)
    reading.owners.delete(worker)
    // What was not finished comes again, to whoever has the partition next.
    for (const [offset, { running }] of reading.open) if (running === 0) reading.open.delete(offset)
  }

  started(worker: number, job: ObservedJob): void {
    const reading = this.#at(job)
    const [head = 0] = job.offsets
    reading.first ??= head
    if (reading.known.has(worker) && !reading.owners.has(worker))
      this.#broken(3, job, `message ${head} was started after its partition was given back`)
    for (const [index, offset] of job.offsets.entries()) {
      const scope = job.scopes[index]
      const own = reading.open.get(offset)
      if (own !== undefined && own.running > 0)
        this.#broken(3, job, `message ${offset} is being handled twice at once`)
      for (const [other, { scope: otherScope }] of reading.open) {
        const isBefore = other < offset && !job.offsets.includes(other)
        if (isBefore && scope !== undefined && scope === otherScope)
          this.#broken(2, job, `message ${offset} was started while ${other} was not finished`)
      }
      reading.open.set(offset, { scope, running: (own?.running ?? 0) + 1 })
    }
  }

  /** @param finished - the offsets that the handler's return has finished */
  ended(worker: number, job: ObservedJob, finished: readonly number[]): void {
    if (this.#crashed.has(worker)) return
    const reading = this.#at(job)
    for (const offset of job.offsets) {
      const own = reading.open.get(offset)
      if (own !== undefined) own.running--
    }
    for (const offset of finished) this.#finish(reading, offset)
  }

  /** Left behind by a partition that is gone: it may go on beside its message's next attempt. */
  leftBehind(spot: Spot): void {
    for (const own of this.#at(spot).open.values()) own.running = 0
  }

  /** Finished without, or besides, a handler's return: marked, skipped, filtered, a dead letter. */
  settled(spot: Spot, offset: number): void {
    this.#finish(this.#at(spot), offset)
  }

  /** @param through - a mark by hand, which covers everything before it */
  marked(worker: number, spot: Spot, offset: number, through: boolean): void {
    if (this.#crashed.has(worker)) return
    const reading = this.#at(spot)
    if (reading.known.has(worker) && !reading.owners.has(worker))
      this.#broken(4, spot, `message ${offset} was marked after its partition was given back`)
    this.#finish(reading, offset)
    if (!through) return
    for (const other of reading.open.keys()) if (other < offset) this.#finish(reading, other)
  }

  committed(worker: number, spot: Spot, position: number): void {
    // What was under way when it was killed may still arrive.
    if (this.#crashed.has(worker)) return
    const reading = this.#at(spot)
    if (reading.known.has(worker) && !reading.owners.has(worker))
      this.#broken(4, spot, `${position} was committed after the partition was given back`)
    for (const offset of reading.open.keys())
      if (offset < position)
        this.#broken(1, spot, `${position} was committed, and message ${offset} is not finished`)
  }

  failed(spot: Spot, offset: number, attempt: number, error: unknown): void {
    const { failures } = this.#at(spot)
    const key = `${offset}#${attempt}`
    const told = failures.get(key) ?? new Set()
    failures.set(key, told)
    // A batch counts attempts by its first message, so two of them may well be called the same.
    if (told.has(error))
      this.#broken(6, spot, `the error of message ${offset}, attempt ${attempt}, was told twice`)
    told.add(error)
  }

  /** The handler threw one thing, and another one was told. */
  errorChanged(spot: Spot, offset: number): void {
    this.#broken(6, spot, `another error than the handler's was told for message ${offset}`)
  }

  moved(spot: Spot): void {
    const reading = this.#at(spot)
    reading.isMoved = true
    reading.open.clear()
    reading.failures.clear()
  }

  crashed(worker: number): void {
    this.#crashed.add(worker)
    for (const reading of this.#readings.values()) {
      if (!reading.owners.delete(worker)) continue
      reading.open.clear()
      reading.failures.clear()
    }
  }

  leftGroup(groupId: string): void {
    this.violations.push(`5: a member left ${groupId} although nobody stopped it`)
  }

  forced(running: readonly string[]): void {
    const what = running.length === 0 ? 'something' : running.join(', ')
    this.violations.push(`8: a stop took longer than its limit; still running: ${what}`)
  }

  /** Every message below a committed position has been finished. @param offsets - what lies in the log */
  accounted(
    spot: Spot,
    committed: number,
    offsets: readonly number[],
    options: { readonly fromFirstSeen: boolean },
  ): void {
    const reading = this.#at(spot)
    if (reading.isMoved) return
    const from = options.fromFirstSeen ? (reading.first ?? Infinity) : 0
    for (const offset of offsets)
      if (offset >= from && offset < committed && !reading.finished.has(offset))
        this.#broken(
          7,
          spot,
          `${committed} is committed, and message ${offset} was neither handled nor skipped nor dead-lettered`,
        )
  }

  #finish(reading: Reading, offset: number): void {
    reading.finished.add(offset)
    // Also one that is still being handled: who marks a message says that it is finished.
    reading.open.delete(offset)
  }

  #at(spot: Spot): Reading {
    const key = `${spot.groupId} ${spot.topic}/${spot.partition}`
    const known = this.#readings.get(key)
    if (known !== undefined) return known
    const reading: Reading = {
      owners: new Set(),
      known: new Set(),
      open: new Map(),
      finished: new Set(),
      failures: new Map(),
      first: undefined,
      isMoved: false,
    }
    this.#readings.set(key, reading)
    return reading
  }

  #broken(promise: number, { groupId, topic, partition }: Spot, what: string): void {
    const line = `${promise}: ${groupId} ${topic}/${partition}: ${what}`
    // One fault is met by every message behind it.
    if (this.violations.length < 100 && !this.violations.includes(line)) this.violations.push(line)
  }
}
