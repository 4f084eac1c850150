import type { FileSystem, OpenFile } from './file-system.ts'

/** One open file, shared by all who read or write it. */
export interface SharedFile {
  readonly file: OpenFile
  readonly path: string
}

interface Entry extends SharedFile {
  users: number
  /** No longer to be found by its path: it was renamed or removed. Goes with its last user. */
  isForgotten: boolean
}

/**
 * Keeps files open, few of them: idle ones are closed, least recently used first, when there are more than the
 * limit. A file in use is never closed under its user, so the number may pass the limit for a while.
 */
export class FileCache {
  readonly #fs: FileSystem
  readonly #mode: 'read' | 'change'
  readonly #limit: number
  readonly #entries = new Map<string, Entry>()

  constructor(fs: FileSystem, mode: 'read' | 'change', limit = 256) {
    this.#fs = fs
    this.#mode = mode
    this.#limit = limit
  }

  get open(): number {
    return this.#entries.size
  }

  /** Give it back with `release`. */
  acquire(path: string): SharedFile {
    let entry = this.#entries.get(path)
    if (entry) this.#entries.delete(path)
    else {
      entry = { path, file: this.#fs.open(path, this.#mode), users: 0, isForgotten: false }
      if (this.#entries.size >= this.#limit) this.#closeIdle()
    }
    this.#entries.set(path, entry) // last: the most recently used
    entry.users++
    return entry
  }

  release(shared: SharedFile): void {
    const entry = shared as Entry
    entry.users--
    if (entry.isForgotten && entry.users === 0) entry.file.close()
  }

  /** The path will mean another file, or none. Present users go on. */
  forget(path: string): void {
    const entry = this.#entries.get(path)
    if (!entry) return
    this.#entries.delete(path)
    entry.isForgotten = true
    if (entry.users === 0) entry.file.close()
  }

  close(): void {
    for (const path of this.#entries.keys()) this.forget(path)
  }

  #closeIdle(): void {
    for (const entry of this.#entries.values()) {
      if (this.#entries.size < this.#limit) return
      if (entry.users === 0) this.forget(entry.path)
    }
  }
}
