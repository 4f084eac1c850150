import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, rm, statfs, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A folder on a file system of its own, which can be filled to the last byte. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string
  /** Nothing can be written from now on, until `free`. */
  fill(): Promise<void>
  free(): Promise<void>
}

/** @returns why there is none: mounting takes Linux and root */
export async function openSmallDisk(megabytes: number): Promise<SmallDisk | string> {
  const mount = await mkdtemp(join(tmpdir(), 'millrace-disk-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', mount])
  } catch (error) {
    await rm(mount, { recursive: true, force: true })
    return `no small disk can be mounted: ${String(error).split('\n')[0]}`
  }
  const folder = join(mount, 'data')
  await mkdir(folder)
  const ballast = join(mount, 'ballast')
  return {
    folder,
    async fill() {
      const file = await open(ballast, 'w')
      const block = Buffer.alloc(1024 * 1024)
      try {
        // What is left in the end is less than a block; small ones go on until nothing fits.
        for (let size = block.length; size >= 512;) {
          try {
            await file.write(block.subarray(0, size))
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
            size >>= 1
          }
          const { bavail } = await statfs(mount)
          if (bavail === 0) break
        }
      } finally {
        await file.close()
      }
    },
    free: () => unlink(ballast),
    async [Symbol.asyncDispose]() {
      await run('umount', ['-l', mount])
      await rm(mount, { recursive: true, force: true })
    },
  }
}
