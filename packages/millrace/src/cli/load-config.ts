import { access } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { MillraceConfig } from '../app/index.ts'
import { failure, MillraceError } from '../errors/index.ts'

export interface LoadedConfig {
  readonly path: string
  readonly config: MillraceConfig
}

const names = ['millrace.config.ts', 'millrace.config.js', 'millrace.config.mjs']

/** The configuration file of a folder, or undefined. */
export async function findConfig(folder: string): Promise<string | undefined> {
  for (const name of names) {
    const path = join(folder, name)
    const isThere = await access(path).then(
      () => true,
      () => false,
    )
    if (isThere) return path
  }
  return undefined
}

/**
 * Loads the configuration by Node's own type stripping.
 * @throws MR_CONFIG_FILE_MISSING, MR_CONFIG_FILE_BROKEN, MR_CONFIG_INVALID
 */
export async function loadConfig({
  folder,
  file,
}: {
  readonly folder: string
  readonly file?: string | undefined
}): Promise<LoadedConfig> {
  const path =
    file === undefined ? await findConfig(folder) : isAbsolute(file) ? file : join(folder, file)
  if (path === undefined)
    throw failure('MR_CONFIG_FILE_MISSING', { path: join(folder, names[0] ?? '') })
  try {
    const module = (await import(pathToFileURL(path).href)) as { readonly default?: MillraceConfig }
    if (module.default === undefined)
      throw failure('MR_CONFIG_FILE_BROKEN', { path, reason: 'it has no default export' })
    return { path, config: module.default }
  } catch (error) {
    if (error instanceof MillraceError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ERR_MODULE_NOT_FOUND' && file !== undefined && String(error).includes(path))
      throw failure('MR_CONFIG_FILE_MISSING', { path }, { cause: error })
    const reason = error instanceof Error ? error.message : String(error)
    throw failure('MR_CONFIG_FILE_BROKEN', { path, reason }, { cause: error })
  }
}
