/** What a store is doing with its folder: changes of one topic in order, and closing after all of them. */
export class StoreWork {
  readonly #changes = new Map<string, Promise<void>>()
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #checkOpen: () => void

  /** @param checkOpen - throws once no more work may begin */
  constructor(checkOpen: () => void) {
    this.#checkOpen = checkOpen
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#checkOpen()
    const running = work()
    this.#underWay.add(running)
    try {
      return await running
    } finally {
      this.#underWay.delete(running)
    }
  }

  /** Changes of one topic come one after another; those of several topics share their saves. */
  runInOrder(topic: string, change: () => Promise<void>): Promise<void> {
    return this.run(async () => {
      const before = this.#changes.get(topic) ?? Promise.resolve()
      const running = before.then(change, change)
      this.#changes.set(topic, running)
      try {
        await running
      } finally {
        if (this.#changes.get(topic) === running) this.#changes.delete(topic)
      }
    })
  }

  /** Resolves when nothing is under way: with the lock gone, the files are somebody else's. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#underWay) // their callers have their errors
  }
}
