import { failure } from '../errors/index.ts'
import type { FileMode, FileSystem, FolderLock, OpenFile } from './file-system.ts'

export type FileOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'rename'
  | 'remove'
  | 'allocate'
  | 'list'
  | 'syncFolder'

/** What a call meets instead of success: an error, or a write that stops after some bytes. */
export type FileFault =
  | { readonly code: 'EIO' | 'ENOSPC' | 'EMFILE' }
  | { readonly writeOnly: number }

export interface MemoryFileSystem extends FileSystem {
  /** Asked before every operation; what it returns happens. Unset: all goes well. */
  fault:
    | ((operation: FileOperation, path: string, bytes: number) => FileFault | undefined)
    | undefined
  /** Room on this disk. Writes beyond it are cut short, then fail with ENOSPC. Default unlimited. */
  capacityBytes: number
  readonly usedBytes: number
  /** Everything opened or locked so far is dead from now on, as after kill -9; what was written stays. */
  kill(): void
  /**
   * As after a power failure: of every file stays what was synced, and as much of the rest as `keep` says
   * (default nothing). The lost rest is gone, or there as zeros. Renames and removals count as done.
   */
  cutPower(
    keep?: (path: string, syncedBytes: number, bytes: number) => number,
    rest?: 'gone' | 'zeros',
  ): void
  /** A disk of its own with the same files. */
  copy(): MemoryFileSystem
  /** Paths of all files, sorted. */
  files(): readonly string[]
}

/** A file's content, whatever its name is, or when it has none any more. */
interface Inode {
  bytes: Buffer
  size: number
  /** Occupied without content: see `allocate`. */
  phantom: number
  synced: number
}

/** A disk that lives in memory: for tests, and for brokers that need not remember. */
export function memoryFileSystem(): MemoryFileSystem {
  return new MemoryDisk()
}

class MemoryDisk implements MemoryFileSystem {
  fault: MemoryFileSystem['fault'] = undefined
  capacityBytes = Number.MAX_SAFE_INTEGER
  readonly #inodes = new Map<string, Inode>()
  readonly #folders = new Set<string>(['/', '.'])
  readonly #locks = new Set<string>()
  #life = 0

  get usedBytes(): number {
    let used = 0
    for (const inode of this.#inodes.values()) used += inode.size + inode.phantom
    return used
  }

  get life(): number {
    return this.#life
  }

  files(): readonly string[] {
    return [...this.#inodes.keys()].toSorted()
  }

  kill(): void {
    this.#life++
    this.#locks.clear()
  }

  cutPower(
    keep: (path: string, syncedBytes: number, bytes: number) => number = (_, synced) => synced,
    rest: 'gone' | 'zeros' = 'gone',
  ): void {
    this.kill()
    for (const [path, inode] of this.#inodes) {
      const kept = Math.min(
        inode.size,
        Math.max(inode.synced, keep(path, inode.synced, inode.size)),
      )
      inode.bytes.fill(0, kept, inode.size)
      if (rest === 'gone') inode.size = kept
      inode.synced = inode.size
    }
  }

  copy(): MemoryFileSystem {
    const twin = new MemoryDisk()
    for (const folder of this.#folders) twin.#folders.add(folder)
    for (const [path, inode] of this.#inodes) {
      twin.#inodes.set(path, { ...inode, bytes: Buffer.from(inode.bytes.subarray(0, inode.size)) })
    }
    return twin
  }

  /** Throws the fault that is due. Returns how much a write may write. */
  meet(operation: FileOperation, path: string, bytes = 0): number {
    const fault = this.fault?.(operation, path, bytes)
    if (fault === undefined) return bytes
    if ('writeOnly' in fault) return Math.min(bytes, fault.writeOnly)
    throw systemError(fault.code, operation, path)
  }

  makeFolder(path: string): void {
    let folder = clean(path)
    while (folder !== '' && !this.#folders.has(folder)) {
      this.#folders.add(folder)
      folder = parentOf(folder)
    }
  }

  list(path: string): readonly string[] {
    this.meet('list', path)
    const folder = clean(path)
    if (!this.#folders.has(folder)) throw systemError('ENOENT', 'list', path)
    const names = new Set<string>()
    const prefix = folder === '/' ? '/' : `${folder}/`
    for (const one of [...this.#inodes.keys(), ...this.#folders]) {
      if (one.startsWith(prefix) && one.length > prefix.length)
        names.add(one.slice(prefix.length).split('/', 1)[0] ?? '')
    }
    return [...names]
  }

  size(path: string): number | undefined {
    const inode = this.#inodes.get(clean(path))
    return inode && inode.size + inode.phantom
  }

  readFile(path: string): Buffer | undefined {
    this.meet('read', path)
    const inode = this.#inodes.get(clean(path))
    return inode && Buffer.from(inode.bytes.subarray(0, inode.size))
  }

  open(path: string, mode: FileMode): OpenFile {
    this.meet('open', path)
    const key = clean(path)
    let inode = this.#inodes.get(key)
    if (!inode) {
      if (mode !== 'write' || !this.#folders.has(parentOf(key)))
        throw systemError('ENOENT', 'open', path)
      inode = { bytes: Buffer.alloc(0), size: 0, phantom: 0, synced: 0 }
      this.#inodes.set(key, inode)
    }
    return new MemoryFile(this, key, inode)
  }

  rename(from: string, to: string): void {
    this.meet('rename', from)
    const [source, target] = [clean(from), clean(to)]
    const inode = this.#inodes.get(source)
    if (inode) {
      this.#inodes.delete(source)
      this.#inodes.set(target, inode)
      return
    }
    if (!this.#folders.has(source)) throw systemError('ENOENT', 'rename', from)
    for (const [path, one] of Array.from(this.#inodes)) {
      if (!path.startsWith(`${source}/`)) continue
      this.#inodes.delete(path)
      this.#inodes.set(target + path.slice(source.length), one)
    }
    for (const path of Array.from(this.#folders)) {
      if (path !== source && !path.startsWith(`${source}/`)) continue
      this.#folders.delete(path)
      this.#folders.add(target + path.slice(source.length))
    }
  }

  remove(path: string): void {
    this.meet('remove', path)
    const key = clean(path)
    this.#inodes.delete(key)
    this.#folders.delete(key)
    for (const one of Array.from(this.#inodes.keys()))
      if (one.startsWith(`${key}/`)) this.#inodes.delete(one)
    for (const one of Array.from(this.#folders))
      if (one.startsWith(`${key}/`)) this.#folders.delete(one)
  }

  async syncFolder(path: string): Promise<void> {
    this.meet('syncFolder', path)
  }

  freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.usedBytes)
  }

  async allocate(path: string, bytes: number): Promise<void> {
    this.meet('allocate', path, bytes)
    if (this.freeBytes() < bytes) throw systemError('ENOSPC', 'allocate', path)
    this.#inodes.set(clean(path), { bytes: Buffer.alloc(0), size: 0, phantom: bytes, synced: 0 })
  }

  async lock(folder: string): Promise<FolderLock> {
    const key = clean(folder)
    if (this.#locks.has(key))
      throw failure('MR_STORAGE_LOCKED', { folder, pid: process.pid, facts: undefined })
    const life = this.#life
    this.#locks.add(key)
    return {
      announce: () => undefined,
      release: async () => {
        if (life === this.#life) this.#locks.delete(key)
      },
    }
  }
}

class MemoryFile implements OpenFile {
  readonly #disk: MemoryDisk
  readonly #path: string
  readonly #inode: Inode
  readonly #life: number
  #isOpen = true

  constructor(disk: MemoryDisk, path: string, inode: Inode) {
    this.#disk = disk
    this.#path = path
    this.#inode = inode
    this.#life = disk.life
  }

  size(): number {
    this.#check('read')
    return this.#inode.size
  }

  readNow(target: Buffer, position: number): number {
    this.#check('read')
    this.#disk.meet('read', this.#path, target.length)
    return this.#inode.bytes.copy(
      target,
      0,
      position,
      Math.min(this.#inode.size, position + target.length),
    )
  }

  async read(target: Buffer, position: number): Promise<number> {
    return this.readNow(target, position)
  }

  write(pieces: readonly Buffer[], position: number): number {
    this.#check('write')
    const inode = this.#inode
    let total = 0
    for (const piece of pieces) total += piece.length
    const growth = position + total - inode.size
    let allowed = this.#disk.meet('write', this.#path, total)
    if (growth > 0 && this.#disk.capacityBytes !== Number.MAX_SAFE_INTEGER) {
      allowed = Math.min(allowed, total - growth + Math.min(growth, this.#disk.freeBytes()))
      if (allowed <= 0 && total > 0) throw systemError('ENOSPC', 'write', this.#path)
    }
    this.#reserve(position + allowed)
    let done = 0
    for (const piece of pieces) {
      if (done >= allowed) break
      done += piece.copy(inode.bytes, position + done, 0, Math.min(piece.length, allowed - done))
    }
    if (position + done > inode.size) inode.size = position + done
    inode.synced = Math.min(inode.synced, position)
    return done
  }

  truncate(bytes: number): void {
    this.#check('truncate')
    this.#disk.meet('truncate', this.#path, bytes)
    const inode = this.#inode
    this.#reserve(bytes)
    if (bytes < inode.size) inode.bytes.fill(0, bytes, inode.size)
    inode.size = bytes
    inode.synced = Math.min(inode.synced, bytes)
  }

  async sync(): Promise<void> {
    this.#check('sync')
    this.#disk.meet('sync', this.#path)
    this.#inode.synced = this.#inode.size
  }

  close(): void {
    if (!this.#isOpen) throw systemError('EBADF', 'close', this.#path)
    this.#isOpen = false
  }

  #check(operation: FileOperation): void {
    if (!this.#isOpen || this.#life !== this.#disk.life)
      throw systemError('EBADF', operation, this.#path)
  }

  #reserve(bytes: number): void {
    const inode = this.#inode
    if (bytes <= inode.bytes.length) return
    const grown = Buffer.alloc(Math.max(bytes, inode.bytes.length * 2, 1024))
    inode.bytes.copy(grown, 0, 0, inode.size)
    inode.bytes = grown
  }
}

function systemError(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code, path })
}

function clean(path: string): string {
  const parts: string[] = []
  for (const part of path.split(/[/\\]/)) if (part !== '' && part !== '.') parts.push(part)
  return (path.startsWith('/') ? '/' : '') + parts.join('/')
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}
