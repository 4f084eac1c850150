import type { Clock, Timer } from '../kit/index.ts'
import type { DiskPartition } from './disk-partition.ts'

export interface BackgroundSyncOptions {
  readonly clock: Clock
  readonly intervalMs: number
  /** A partition with so much unsynced does not wait for the interval. */
  readonly bytes: number
  /** After each round: recovery points may have moved. */
  readonly onSynced: () => Promise<void>
}

/**
 * Bounds what a power failure can take: every interval, or earlier after many bytes, what was written is synced
 * in the thread pool. Acknowledgements do not wait for it.
 */
export class BackgroundSync {
  readonly #options: BackgroundSyncOptions
  #dirty = new Set<DiskPartition>()
  #timer: Timer | undefined
  #round: Promise<void> | undefined
  #isStopped = false

  constructor(options: BackgroundSyncOptions) {
    this.#options = options
  }

  note(partition: DiskPartition): void {
    this.#dirty.add(partition)
    if (this.#isStopped || this.#round) return
    if (partition.unsyncedBytes >= this.#options.bytes) void this.run()
    else
      this.#timer ??= this.#options.clock.after(
        this.#options.intervalMs,
        () => {
          this.#timer = undefined
          void this.run()
        },
        { unref: true },
      )
  }

  /** One round over all that is dirty. Never rejects: a failed sync is the partition's to report. */
  run(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#round ??= this.#syncAll().finally(() => {
      this.#round = undefined
      const [left] = this.#dirty
      if (left) this.note(left)
    })
    return this.#round
  }

  /** All that is dirty at the moment of the call. */
  async runNow(): Promise<void> {
    await this.#round
    await this.run()
  }

  /** No more rounds; waits for the one that runs. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#round
  }

  async #syncAll(): Promise<void> {
    const dirty = this.#dirty
    this.#dirty = new Set()
    for (const partition of dirty) await partition.sync()
    await this.#options.onSynced()
  }
}
