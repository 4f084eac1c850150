/**
 * The URL of a module beside the caller, for worker threads and child processes. The compiler leaves
 * `new URL('./x.ts', import.meta.url)` as it is, which breaks once built; this takes the caller's extension.
 *
 * @example new Worker(moduleBeside(import.meta.url, './host'))
 */
export function moduleBeside(callerUrl: string, path: string): URL {
  const extension = callerUrl.endsWith('.ts') ? '.ts' : '.js'
  return new URL(path + extension, callerUrl)
}
