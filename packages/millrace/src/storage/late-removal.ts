import type { Clock, Timer } from '../kit/index.ts'
import type { FileSystem } from './file-system.ts'

const waitMs = 60_000

/** Removes renamed files and folders a minute later, as Kafka does: whoever looks on still finds them. */
export class LateRemoval {
  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #onFailure: (path: string, error: unknown) => void
  readonly #timers = new Map<string, Timer>()

  /** @param onFailure - what cannot be removed stays; the next start tries again */
  constructor(fs: FileSystem, clock: Clock, onFailure: (path: string, error: unknown) => void) {
    this.#fs = fs
    this.#clock = clock
    this.#onFailure = onFailure
  }

  add(path: string): void {
    const timer = this.#clock.after(waitMs, () => this.#remove(path), { unref: true })
    this.#timers.set(path, timer)
  }

  /** Removes at once what still waits. */
  finish(): void {
    for (const [path, timer] of this.#timers) {
      timer.cancel()
      this.#remove(path)
    }
  }

  #remove(path: string): void {
    this.#timers.delete(path)
    try {
      this.#fs.remove(path)
    } catch (error) {
      this.#onFailure(path, error)
    }
  }
}
