/**
 * Makes the JavaScript of the package: `packages/millrace/dist`, beside the declarations that `tsc -b` has written.
 *
 * One file for each way in, and chunks for what they share: a start reads a dozen files instead of five hundred, which
 * takes half the time and a sixth of the memory. Not minified; packages that it depends on stay outside.
 */
import { glob, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'rolldown'

const packageFolder = join(import.meta.dirname, '../packages/millrace')
const source = join(packageFolder, 'src')
const target = join(packageFolder, 'dist')

const entries = [
  // What package.json exports.
  'index',
  ...['broker', 'client', 'drain', 'gateway', 'postgres', 'sqlite', 'testing'].map(
    (part) => `${part}/index`,
  ),
  'cli/main',
  // Started by their paths: `ownModule` of kit.
  'app/threads/thread-main',
  'broker/thread/thread-main',
]

for await (const old of glob('**/*.{js,js.map}', { cwd: target })) await rm(join(target, old))
const { output } = await build({
  input: Object.fromEntries(entries.map((entry) => [entry, join(source, `${entry}.ts`)])),
  external: (id) => !id.startsWith('.') && !id.startsWith('/'),
  platform: 'node',
  output: {
    dir: target,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    sourcemap: true,
  },
  logLevel: 'warn',
})

// `own-module.ts` knows the root as the folder above its own, so it must lie one folder deep, here as in the source.
const home = output.find(
  (file) => file.type === 'chunk' && file.moduleIds.some((id) => id.endsWith('/kit/own-module.ts')),
)
if (home === undefined || home.fileName.split('/').length !== 2)
  throw new Error(`own-module.ts came to lie in ${home?.fileName}`)
