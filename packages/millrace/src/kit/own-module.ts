/** The root of this package's modules, `src` or `dist`: the folder above this one, in either. */
const root = new URL('..', import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

/** Where the modules of this package lie, as a URL that ends in a slash. */
export const ownModules = root.href

/**
 * A module of this package that is started by its path: of a worker thread or child process.
 *
 * @param path - from the root, without extension
 * @example new Worker(ownModule('broker/thread/thread-main'))
 */
export function ownModule(path: string): URL {
  return new URL(path + extension, root)
}
