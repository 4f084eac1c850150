import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { parseSize } from '../../kit/index.ts'
import type { ThreadOptions } from './options.ts'

/** The module as a URL that is there; a fault as text. */
export function threadModule(written: URL | string): URL | string {
  const url = urlOf(written)
  if (url === undefined) return `${String(written)} is neither a file URL nor an absolute path`
  if (existsSync(url)) return url
  // A compiler leaves the name in `new URL('./x.ts', import.meta.url)` as it is.
  const compiled = new URL(url.href.replace(/\.([mc]?)ts$/, '.$1js'))
  if (existsSync(compiled)) return compiled
  return `there is no module ${fileURLToPath(url)}`
}

export function threadFaults(options: ThreadOptions, runIn: unknown, path: string): string[] {
  const faults: string[] = []
  if (runIn !== 'thread') faults.push(`${path}.runIn: 'thread' is what a handler module runs in`)
  const module = threadModule(options.handler)
  if (typeof module === 'string')
    faults.push(`${path}.handler: ${module}; write new URL('./file.ts', import.meta.url)`)
  const { threads, threadMemory } = options
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    faults.push(`${path}.threads: ${threads} is not a number of 1 or more`)
  if (threadMemory !== undefined && !((parseSize(threadMemory) ?? 0) >= 16 * 1024 * 1024))
    faults.push(`${path}.threadMemory: ${threadMemory} is not a size of 16MiB or more`)
  return faults
}

function urlOf(written: URL | string): URL | undefined {
  try {
    if (written instanceof URL) return written.protocol === 'file:' ? written : undefined
    if (written.startsWith('file:')) return new URL(written)
    return written.startsWith('/') || /^[A-Za-z]:[\\/]/.test(written)
      ? pathToFileURL(written)
      : undefined
  } catch {
    return undefined
  }
}
