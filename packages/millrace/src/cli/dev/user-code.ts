import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

import type { MillraceConfig } from '../../app/index.ts'
import { loadConfig } from '../load-config.ts'

/**
 * The application's own modules: the boot file and what it imports by relative paths, directly and over others.
 * Packages are not among them; they are loaded once.
 */
export interface UserCode extends Disposable {
  /** Loads all of it, from the second time on anew, beside what was loaded before. @throws as loadConfig */
  load(): Promise<MillraceConfig>
  /** Files of the last load, also of one that failed. */
  readonly files: ReadonlySet<string>
  /** The last load failed, perhaps for a file that is not there yet. */
  readonly hasFailed: boolean
}

/** Carried by the addresses of modules from the second generation on, so that Node does not take them for loaded. */
const tag = 'millrace-load'

export function openUserCode(bootFile: string): UserCode {
  let generation = 0
  let hasFailed = false
  let files = new Set<string>()
  let own = new Set<string>()
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      const { parentURL } = context
      const isOwn =
        parentURL !== undefined &&
        own.has(parentURL) &&
        /^[./#]/.test(specifier) &&
        found.url.startsWith('file:') &&
        !found.url.includes('/node_modules/')
      if (!isOwn) return found
      const url = tagged(found.url, parentURL)
      own.add(url)
      files.add(fileURLToPath(url))
      return { ...found, url }
    },
  })
  return {
    async load() {
      generation++
      const query = generation === 1 ? '' : `?${tag}=${generation}`
      files = new Set([bootFile])
      own = new Set([`${pathToFileURL(bootFile).href}${query}`])
      hasFailed = true
      const { config } = await loadConfig({ folder: '', file: bootFile, query })
      hasFailed = false
      return config
    },
    get files() {
      return files
    },
    get hasFailed() {
      return hasFailed
    },
    [Symbol.dispose]() {
      hooks.deregister()
    },
  }
}

/** A module belongs to the generation of the one that imports it. */
function tagged(url: string, parent: string): string {
  const generation = new URL(parent).searchParams.get(tag)
  if (generation === null) return url
  const address = new URL(url)
  address.searchParams.set(tag, generation)
  return address.href
}
