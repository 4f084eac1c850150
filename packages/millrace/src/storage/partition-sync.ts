import type { SharedFile } from './file-cache.ts'
import { isOutOfFiles, type FileSystem } from './file-system.ts'
import type { Segment } from './segment.ts'

/** Bytes written and not yet synced, of one segment; holds its file open meanwhile. */
interface UnsyncedSegment {
  readonly segment: Segment
  readonly file: SharedFile
}

export interface PartitionSyncOptions {
  readonly fs: FileSystem
  readonly recoveryPoint: number
  readonly activeBase: () => number
  readonly folder: () => string
  /** The partition has failed or is gone: nothing may be believed, or needs to be. */
  readonly isOver: () => boolean
  readonly onFailure: (path: string, error: unknown) => void
  /** Files could not be opened; all is as before, for the next round. */
  readonly onPostponed: () => void
}

/**
 * What of a partition is not on the disk yet. After a round the recovery point stands at the active segment: all
 * before it is synced, log, indexes and a snapshot of the producers. **A failed sync is never repeated**: the kernel
 * may have dropped the pages, and a second call that succeeds would prove nothing.
 */
export class PartitionSync {
  readonly #options: PartitionSyncOptions
  #unsynced: UnsyncedSegment[] = []
  #bytes = 0
  #isFolderUnsynced = false
  #snapshot: string | undefined
  #recoveryPoint: number
  #running: Promise<void> | undefined

  constructor(options: PartitionSyncOptions) {
    this.#options = options
    this.#recoveryPoint = options.recoveryPoint
  }

  /** Up to which offset a crash cannot have hurt: recovery starts in the segment that holds it. */
  get recoveryPoint(): number {
    return this.#recoveryPoint
  }

  get unsyncedBytes(): number {
    return this.#bytes
  }

  get isSynced(): boolean {
    return this.#unsynced.length === 0 && !this.#isFolderUnsynced && this.#snapshot === undefined
  }

  /** The segment is going to be written; its file stays open until it is synced. */
  track(segment: Segment): SharedFile {
    const last = this.#unsynced.at(-1)
    if (last?.segment === segment) return last.file
    const file = segment.acquire()
    this.#unsynced.push({ segment, file })
    return file
  }

  wrote(bytes: number): void {
    this.#bytes += bytes
  }

  /** Files came or went, and a snapshot on which the recovery point, or the removal of segments, will rely. */
  folderChanged(snapshot: string | undefined): void {
    this.#isFolderUnsynced = true
    this.#snapshot = snapshot ?? this.#snapshot
  }

  /** Never rejects: a failure goes to the partition. */
  run(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** All that is written at the moment of the call, also when a round is under way. */
  async runNow(): Promise<void> {
    await this.#running
    await this.run()
  }

  idle(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }

  drop(): void {
    release(this.#unsynced)
    this.#unsynced = []
  }

  async #round(): Promise<void> {
    const { isOver, onFailure, onPostponed } = this.#options
    const bytes = this.#bytes
    let unsynced = this.#unsynced
    const isFolderUnsynced = this.#isFolderUnsynced
    const snapshot = this.#snapshot
    const reaches = this.#options.activeBase()
    this.#unsynced = []
    this.#bytes = 0
    this.#isFolderUnsynced = false
    this.#snapshot = undefined
    let path = this.#options.folder()
    try {
      if (isOver()) return
      for (const { segment, file } of unsynced) {
        path = file.path
        await file.file.sync()
        if (!segment.isSealed) continue
        for (const suffix of ['.index', '.timeindex']) await this.#syncFile(segment.path(suffix))
      }
      if (snapshot !== undefined) {
        path = snapshot
        await this.#syncFile(snapshot)
      }
      if (isFolderUnsynced && !isOver()) {
        path = this.#options.folder()
        await this.#options.fs.syncFolder(path)
      }
      this.#recoveryPoint = Math.max(this.#recoveryPoint, reaches)
    } catch (error) {
      if (!isOutOfFiles(error) || isOver()) onFailure(path, error)
      else {
        this.#unsynced.unshift(...unsynced)
        this.#bytes += bytes
        this.folderChanged(this.#snapshot ?? snapshot)
        unsynced = []
        onPostponed()
      }
    } finally {
      release(unsynced)
    }
  }

  /** A file beside the log, unless retention has taken it. */
  async #syncFile(path: string): Promise<void> {
    const { fs } = this.#options
    if (fs.size(path) === undefined) return
    const file = fs.open(path, 'change')
    try {
      await file.sync()
    } finally {
      file.close()
    }
  }
}

function release(list: readonly UnsyncedSegment[]): void {
  for (const { segment, file } of list) segment.release(file)
}
