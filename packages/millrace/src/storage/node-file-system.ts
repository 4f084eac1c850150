import {
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  constants,
  promises,
  read,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writevSync,
} from 'node:fs'
import type { FileSystem, OpenFile } from './file-system.ts'
import { systemCode } from './file-system.ts'
import { lockFolder } from './folder-lock.ts'

const { O_RDONLY, O_RDWR, O_CREAT } = constants
const flags = { read: O_RDONLY, change: O_RDWR, write: O_RDWR | O_CREAT } as const

/** The disk itself. */
export const nodeFileSystem: FileSystem = {
  makeFolder: (path) => void mkdirSync(path, { recursive: true }),
  list: (path) => readdirSync(path),
  size: (path) => statSync(path, { throwIfNoEntry: false })?.size,
  readFile(path) {
    try {
      return readFileSync(path)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    }
  },
  open: (path, mode) => new NodeFile(openSync(path, flags[mode])),
  rename: (from, to) => renameSync(from, to),
  remove: (path) => rmSync(path, { recursive: true, force: true }),
  async syncFolder(path) {
    // A folder cannot be opened for this on Windows; there the file system journals renames itself.
    if (process.platform === 'win32') return
    const folder = await promises.open(path, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  },
  freeBytes(path) {
    const stats = statfsSync(path)
    return stats.bavail * stats.bsize
  },
  async allocate(path, bytes) {
    const file = await promises.open(path, 'w')
    try {
      const zeros = Buffer.alloc(Math.min(bytes, 1_048_576))
      for (let done = 0; done < bytes; done += zeros.length) {
        await file.writeFile(zeros.subarray(0, Math.min(zeros.length, bytes - done)))
      }
      await file.datasync()
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
  },
  lock: lockFolder,
}

class NodeFile implements OpenFile {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  size(): number {
    return fstatSync(this.#fd).size
  }

  readNow(target: Buffer, position: number): number {
    let filled = 0
    while (filled < target.length) {
      const got = readSync(this.#fd, target, filled, target.length - filled, position + filled)
      if (got === 0) break
      filled += got
    }
    return filled
  }

  async read(target: Buffer, position: number): Promise<number> {
    let filled = 0
    while (filled < target.length) {
      const got = await readOnce(this.#fd, target, filled, position + filled)
      if (got === 0) break
      filled += got
    }
    return filled
  }

  write(pieces: readonly Buffer[], position: number): number {
    return writevSync(this.#fd, pieces, position)
  }

  truncate(bytes: number): void {
    ftruncateSync(this.#fd, bytes)
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()))
    })
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function readOnce(fd: number, target: Buffer, from: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, target, from, target.length - from, position, (error, got) =>
      error ? reject(error) : resolve(got),
    )
  })
}
