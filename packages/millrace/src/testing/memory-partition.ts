import type { SeekTarget, SourceMessage, SourcePartition } from '../app/index.ts'

/** A partition without a broker: a list of messages, and a position that moves over it. */
export class MemoryPartition implements SourcePartition {
  readonly topic: string
  readonly partition: number
  readonly committed: { readonly offset: number; readonly metadata: string } | null
  readonly #log: readonly SourceMessage[]
  #position: number
  #isOwned = true
  #isPaused = false
  #wake: (() => void)[] = []

  /** Several tenures may look at one log, which grows under them. */
  constructor(
    topic: string,
    partition: number,
    log: readonly SourceMessage[],
    committed?: { readonly offset: number; readonly metadata: string },
  ) {
    this.topic = topic
    this.partition = partition
    this.#log = log
    this.committed = committed ?? null
    this.#position = committed?.offset ?? log[0]?.offset ?? 0
  }

  get isOwned(): boolean {
    return this.#isOwned
  }

  get position(): number {
    return this.#position
  }

  get lag(): number {
    return Math.max(0, this.#end - this.#position)
  }

  get #end(): number {
    return (this.#log.at(-1)?.offset ?? -1) + 1
  }

  take(max: number): readonly SourceMessage[] {
    if (!this.#isOwned || this.#isPaused) return []
    const from = this.#indexOf(this.#position)
    if (from >= this.#log.length) return []
    const taken = this.#log.slice(from, from + max)
    this.#position = (taken.at(-1)?.offset ?? this.#position - 1) + 1
    return taken
  }

  available(signal?: AbortSignal): Promise<void> {
    const isReady = !this.#isPaused && this.#position < this.#end
    if (isReady || !this.#isOwned) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake.push(resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.wake()
  }

  seek(to: SeekTarget): Promise<void> {
    if (to === 'earliest') this.#position = this.#log[0]?.offset ?? 0
    else if (to === 'latest') this.#position = this.#end
    else if (typeof to === 'number') this.#position = to
    else {
      const found = this.#log.find(({ timestamp }) => timestamp >= to.timestampMs)
      this.#position = found?.offset ?? this.#end
    }
    this.wake()
    return Promise.resolve()
  }

  /** Of the first message at or behind an offset; offsets rise, with gaps. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#log.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#log[middle]?.offset ?? Infinity) < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The log has grown, or something else changed that a waiting owner should look at. */
  wake(): void {
    const waiting = this.#wake
    this.#wake = []
    for (const resolve of waiting) resolve()
  }

  endTenure(): void {
    this.#isOwned = false
    this.wake()
  }
}
