import { watch, type FSWatcher } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import { systemClock, type Clock, type Timer } from '../../kit/index.ts'

export interface FileWatch extends Disposable {
  /** These from now on. With `any`, a new file beside one of them counts as well: it may be what was missing. */
  follow(files: ReadonlySet<string>, options?: { readonly any?: boolean }): void
}

/** Editors write a file in several steps. */
const settleMs = 60

/**
 * Tells when one of the files has changed, once for changes that come close together. Their folders are watched and not
 * the files: many editors put a new file in the place of the old one.
 */
export function watchFiles(
  onChange: (path: string) => void,
  clock: Clock = systemClock,
): FileWatch {
  const watchers = new Map<string, FSWatcher>()
  let followed: ReadonlySet<string> = new Set()
  let takesAny = false
  let timer: Timer | undefined

  const changed = (path: string): void => {
    if (!followed.has(path) && !(takesAny && /\.([cm]?[jt]s|json)$/.test(path))) return
    timer?.cancel()
    timer = clock.after(settleMs, () => onChange(path), { unref: true })
  }
  const open = (folder: string): FSWatcher => {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (name !== null) changed(join(folder, basename(name)))
    })
    // A folder that was deleted has nothing to tell any more.
    watcher.on('error', () => close(folder))
    return watcher
  }
  const close = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }

  return {
    follow(files, { any = false } = {}) {
      followed = files
      takesAny = any
      const folders = new Set([...files].map((file) => dirname(file)))
      for (const folder of watchers.keys()) if (!folders.has(folder)) close(folder)
      for (const folder of folders) if (!watchers.has(folder)) watchers.set(folder, open(folder))
    },
    [Symbol.dispose]() {
      timer?.cancel()
      for (const watcher of watchers.values()) watcher.close()
      watchers.clear()
    },
  }
}
