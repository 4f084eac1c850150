/**
 * Saves the state as it is when the save begins. Calls that come while one runs share the next, so a burst of
 * changes costs two saves; each call is answered by a save that began after it.
 */
export class LatestSave {
  readonly #write: () => Promise<void>
  #running: Promise<void> | undefined
  #waiting: Promise<void> | undefined

  constructor(write: () => Promise<void>) {
    this.#write = write
  }

  save(): Promise<void> {
    if (this.#waiting) return this.#waiting
    if (this.#running) {
      this.#waiting = this.#running.then(
        () => this.#start(),
        () => this.#start(), // whoever asked for that one has its error
      )
      return this.#waiting
    }
    return this.#start()
  }

  /** Resolves when nothing runs or waits; whoever asked for a save has its error. */
  async idle(): Promise<void> {
    while (this.#running) {
      try {
        await (this.#waiting ?? this.#running)
      } catch {
        // theirs
      }
    }
  }

  #start(): Promise<void> {
    this.#waiting = undefined
    const running = this.#write().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }
}
