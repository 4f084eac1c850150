import type { Clock, Timer } from '../kit/index.ts'
import { isNoSpace, type FileSystem } from './file-system.ts'

export interface DiskSpaceOptions {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly folder: string
  /** Size of the reserve file; 0 does without. */
  readonly reserveBytes: number
  /** Deletes what waits to be deleted; called before each look whether there is room again. */
  readonly makeRoom: () => void
  readonly onFull: (path: string, bytes: number) => void
  readonly onFree: () => void
}

const recheckMs = 5000

/**
 * The state of a full disk. The reserve is a file of zeros which is given up when the disk is full, so that
 * commits, deletions and checkpoints can go on; records are refused until there is room for it again.
 */
export class DiskSpace {
  readonly #options: DiskSpaceOptions
  readonly #path: string
  #isFull = false
  #timer: Timer | undefined
  #checking: Promise<void> | undefined
  #isStopped = false

  constructor(options: DiskSpaceOptions) {
    this.#options = options
    this.#path = `${options.folder}/reserve`
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** Lays the reserve in the background, unless it is there. */
  start(): void {
    const { fs, reserveBytes } = this.#options
    if (reserveBytes > 0 && fs.size(this.#path) !== reserveBytes) this.#check()
  }

  /** A write found no room. Said once, until there is room again. */
  full(path: string, bytes: number): void {
    if (this.#isFull) return
    this.#isFull = true
    this.#options.onFull(path, bytes)
    try {
      this.#options.fs.remove(this.#path)
    } catch {
      // The reserve stays shut; the state is the same, and it was told above.
    }
    this.#recheckLater()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#checking
  }

  #recheckLater(): void {
    if (this.#isStopped) return
    this.#timer = this.#options.clock.after(recheckMs, () => this.#check(), { unref: true })
  }

  #check(): void {
    this.#checking ??= this.#refill().finally(() => {
      this.#checking = undefined
    })
  }

  async #refill(): Promise<void> {
    const { fs, folder, reserveBytes } = this.#options
    try {
      // As much again must stay free, or the next write would meet the same wall.
      const needed = reserveBytes * 2
      if (this.#isFull) this.#options.makeRoom()
      if (this.#isFull && fs.freeBytes(folder) <= needed) return this.#recheckLater()
      if (reserveBytes > 0) await fs.allocate(this.#path, reserveBytes)
    } catch (error) {
      if (isNoSpace(error)) {
        if (!this.#isFull) this.full(this.#path, reserveBytes)
        else this.#recheckLater()
        return
      }
      // The reserve is a comfort: a disk that refuses it will say so at the next write of data.
      if (this.#isFull) this.#recheckLater()
      return
    }
    if (this.#isFull) {
      this.#isFull = false
      this.#options.onFree()
    }
  }
}
