import { access } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { MillraceConfig } from '../app/index.ts'
import { failure, MillraceError } from '../errors/index.ts'

export interface LoadedConfig {
  readonly path: string
  readonly config: MillraceConfig
  /** Everything that the file exports. */
  readonly exports: Readonly<Record<string, unknown>>
}

export const configNames = [
  'millrace.config.ts',
  'millrace.config.mts',
  'millrace.config.js',
  'millrace.config.mjs',
] as const

/** The configuration file of a folder, or undefined. */
export async function findConfig(folder: string): Promise<string | undefined> {
  for (const name of configNames) {
    const path = join(folder, name)
    if (await isThere(path)) return path
  }
  return undefined
}

/**
 * Loads the configuration by Node's own type stripping.
 * @throws MR_CONFIG_FILE_MISSING, MR_CONFIG_FILE_BROKEN, MR_CONFIG_FILE_EXPORT, MR_CONFIG_INVALID
 */
export async function loadConfig({
  folder,
  file,
  query = '',
}: {
  readonly folder: string
  readonly file?: string | undefined
  /** Behind the address of the module, for loading it anew. */
  readonly query?: string
}): Promise<LoadedConfig> {
  const path =
    file === undefined ? await findConfig(folder) : isAbsolute(file) ? file : join(folder, file)
  if (path === undefined)
    throw failure('MR_CONFIG_FILE_MISSING', { path: join(folder, configNames[0]) })
  // A module that it imports may be missing too, which is another fault.
  if (!(await isThere(path))) throw failure('MR_CONFIG_FILE_MISSING', { path })
  try {
    const module = (await import(`${pathToFileURL(path).href}${query}`)) as Readonly<
      Record<string, unknown>
    >
    const config = module['default']
    if (typeof config !== 'object' || config === null || Array.isArray(config))
      throw failure('MR_CONFIG_FILE_EXPORT', { path, found: kindOf(config) })
    return { path, config, exports: module }
  } catch (error) {
    if (error instanceof MillraceError) throw error
    const reason = plain(error instanceof Error ? error.message : String(error))
    throw failure('MR_CONFIG_FILE_BROKEN', { path, reason, at: placeOf(error) }, { cause: error })
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}

/**
 * `file:line` in the user's code: the head of the stack where Node could not read a file, else the first frame that is
 * a file.
 */
function placeOf(error: unknown): string | undefined {
  const stack = plain(error instanceof Error ? (error.stack ?? '') : '')
  const unread = /^(?:file:\/\/)?(\/.+:\d+)$/m.exec(stack.split('\n')[0] ?? '')?.[1]
  return unread ?? /file:\/\/(\/[^\s)]+:\d+):\d+/.exec(stack)?.[1]
}

/** Without what a module that was loaded anew has behind its name. */
function plain(text: string): string {
  return text.replaceAll(/\?millrace-load=\d+/g, '')
}
