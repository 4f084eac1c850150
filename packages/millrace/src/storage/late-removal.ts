import type { Clock, Timer } from '../kit/index.ts'
import type { FileSystem } from './file-system.ts'

const waitMs = 60_000

/** Removes renamed files and folders a minute later, as Kafka does: whoever looks on still finds them. */
export class LateRemoval {
  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #timers = new Map<string, Timer>()

  constructor(fs: FileSystem, clock: Clock) {
    this.#fs = fs
    this.#clock = clock
  }

  add(path: string): void {
    const remove = (): void => {
      this.#timers.delete(path)
      this.#fs.remove(path)
    }
    this.#timers.set(path, this.#clock.after(waitMs, remove, { unref: true }))
  }

  /** Removes at once what still waits. */
  finish(): void {
    for (const [path, timer] of this.#timers) {
      timer.cancel()
      this.#fs.remove(path)
    }
    this.#timers.clear()
  }
}
