export interface Entry {
  readonly key: string
  readonly n: number
}

/** What handlers have seen of each key, whose messages are numbered from 0. */
export class KeyBook {
  handled = 0
  repeated = 0
  outOfOrder = 0
  sideBySide = 0
  readonly examples: string[] = []
  readonly #next = new Map<string, number>()
  readonly #inHand = new Map<string, number>()

  begin(entries: readonly Entry[]): void {
    const own = new Set<string>()
    for (const { key, n } of entries) {
      if (!own.has(key) && this.#inHand.has(key)) {
        this.sideBySide++
        this.#note(`${key}:${n} began beside ${this.#inHand.get(key)}`)
      }
      own.add(key)
      this.#inHand.set(key, n)
      const next = this.#next.get(key) ?? 0
      if (n === next) {
        this.#next.set(key, n + 1)
        this.handled++
      } else if (n < next) {
        this.repeated++
      } else {
        this.outOfOrder++
        this.#note(`${key}:${n} came where ${next} was due`)
        this.#next.set(key, n + 1)
      }
    }
  }

  end(entries: readonly Entry[]): void {
    for (const { key } of entries) this.#inHand.delete(key)
  }

  /** Keys of which fewer messages were handled than this. */
  behind(perKey: number): readonly string[] {
    return [...this.#next].filter(([, next]) => next < perKey).map(([key]) => key)
  }

  #note(line: string): void {
    if (this.examples.length < 20) this.examples.push(line)
  }
}
