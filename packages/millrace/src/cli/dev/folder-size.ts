import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Bytes that the files of a folder take on disk. The folder lives: files that go between the listing and the look (a
 * replaced checkpoint, a deleted segment) count nothing.
 *
 * @param look - for tests
 */
export async function folderSize(folder: string, look: typeof stat = stat): Promise<number> {
  let bytes = 0
  for (const entry of await gone(readdir(folder, { withFileTypes: true }), [])) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) bytes += await folderSize(path, look)
    else if (entry.isFile()) bytes += (await gone(look(path), { blocks: 0 })).blocks * 512
  }
  return bytes
}

/** What a look-up gives, or `otherwise` for what is no longer there. */
function gone<T>(found: Promise<T>, otherwise: NoInfer<T> | Partial<T>): Promise<T> {
  return found.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return otherwise as T
    throw error
  })
}
