/**
 * The disk as a port. The core never touches `node:fs`: the real adapter is thin, the memory one injects
 * faults, and both pass `file-system.contract.ts`. Errors carry Node's codes (`ENOENT`, `ENOSPC`, `EIO`).
 *
 * Calls that return no promise block; they are those that stay in the page cache.
 */
export interface FileSystem {
  /** Makes the folder and what is missing above it. */
  makeFolder(path: string): void
  /** Names in a folder, in no order. @throws ENOENT */
  list(path: string): readonly string[]
  /** Bytes of a file, or undefined when there is none. */
  size(path: string): number | undefined
  /** The whole file, or undefined when there is none. */
  readFile(path: string): Buffer | undefined
  /** @throws ENOENT unless it is `write` */
  open(path: string, mode: FileMode): OpenFile
  /** Replaces the target, atomically. Open files stay open. */
  rename(from: string, to: string): void
  /** A file, or a folder with all in it. Missing is fine. Open files stay readable. */
  remove(path: string): void
  /** Makes creations, renames and removals in this folder survive a power failure. */
  syncFolder(path: string): Promise<void>
  /** Room on the disk that holds this folder, in bytes. */
  freeBytes(path: string): number
  /** A file that really occupies `bytes`. @throws ENOSPC, and leaves nothing then */
  allocate(path: string, bytes: number): Promise<void>
  /** Excludes every other process from the folder until released or until this process dies. @throws MR_STORAGE_LOCKED */
  lock(folder: string): Promise<FolderLock>
}

/** `read` alone; `change` what is there; `write`: the same, and make what is missing. All keep what is there. */
export type FileMode = 'read' | 'change' | 'write'

export interface OpenFile {
  size(): number
  /** Fills `target` from `position`; fewer bytes only at the end of the file. */
  readNow(target: Buffer, position: number): number
  /** The same in the thread pool. */
  read(target: Buffer, position: number): Promise<number>
  /** Writes the pieces one after another from `position`. May write less than all: a disk that fills up does. */
  write(pieces: readonly Buffer[], position: number): number
  truncate(bytes: number): void
  /** Data on the disk (fdatasync), in the thread pool. */
  sync(): Promise<void>
  close(): void
}

export interface FolderLock {
  /** Facts for those who find the folder locked, for example the broker's port. */
  announce(facts: Readonly<Record<string, string | number>>): void
  release(): Promise<void>
}

/** The code of a system error, such as `ENOSPC`. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** No room: a full disk, or a full quota. */
export function isNoSpace(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Out of file descriptors, here or in the whole system: nothing is wrong with the disk, and it passes. */
export function isOutOfFiles(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'EMFILE' || code === 'ENFILE'
}

/** Text of an unknown error. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Writes all pieces. A short write is carried on, so that the disk says itself what is wrong. */
export function writeFully(file: OpenFile, pieces: readonly Buffer[], position: number): number {
  let total = 0
  for (const piece of pieces) total += piece.length
  let written = file.write(pieces, position)
  while (written < total) {
    const more = file.write(remainder(pieces, written), position + written)
    if (more <= 0) throw Object.assign(new Error('the write made no progress'), { code: 'EIO' })
    written += more
  }
  return total
}

function remainder(pieces: readonly Buffer[], skip: number): Buffer[] {
  const rest: Buffer[] = []
  let left = skip
  for (const piece of pieces) {
    if (left >= piece.length) left -= piece.length
    else {
      rest.push(left === 0 ? piece : piece.subarray(left))
      left = 0
    }
  }
  return rest
}

/**
 * A derived file that may be torn by a crash: its reader must notice. Written over, then cut: truncating to zero
 * first makes ext4 flush the file at close (auto_da_alloc), a millisecond each.
 */
export function writeFile(fs: FileSystem, path: string, bytes: Buffer): void {
  const file = fs.open(path, 'write')
  try {
    if (bytes.length > 0) writeFully(file, [bytes], 0)
    if (file.size() > bytes.length) file.truncate(bytes.length)
  } finally {
    file.close()
  }
}

/** Old content or new content, whatever happens: temporary file, sync, rename, sync of the folder. */
export async function replaceFile(
  fs: FileSystem,
  folder: string,
  name: string,
  bytes: Buffer,
): Promise<void> {
  const temporary = `${folder}/${name}.new`
  const file = fs.open(temporary, 'write')
  try {
    file.truncate(0)
    writeFully(file, [bytes], 0)
    await file.sync()
  } finally {
    file.close()
  }
  fs.rename(temporary, `${folder}/${name}`)
  await fs.syncFolder(folder)
}
