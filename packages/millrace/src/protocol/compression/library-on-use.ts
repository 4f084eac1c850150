import { createRequire } from 'node:module'

export const require = createRequire(import.meta.url)

/**
 * A native library that is loaded when it is first used: each takes some 3 MiB and milliseconds from a process that may
 * never meet its codec.
 */
export function onUse<Library>(load: () => Library): () => Library {
  let library: Library | undefined
  return () => (library ??= load())
}
