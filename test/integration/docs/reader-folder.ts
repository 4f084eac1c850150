import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { main } from '../cli/run-cli.ts'
import { root } from './read-page.ts'

export interface ReaderFolder extends AsyncDisposable {
  readonly path: string
  /** Holds `millrace` and `npx`, which reach the sources. */
  readonly bin: string
}

/** An empty folder as a reader has it after `npm install millrace zod`, with `millrace` standing for the sources. */
export async function makeReaderFolder(): Promise<ReaderFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'millrace-docs-')))
  const modules = join(path, 'node_modules')
  const own = join(modules, 'millrace')
  const bin = join(path, 'bin')
  await mkdir(own, { recursive: true })
  await mkdir(bin)
  await symlink(join(root, 'packages/millrace/src'), join(own, 'src'))
  await writeFile(join(own, 'package.json'), JSON.stringify(await sourceManifest()))
  for (const name of ['zod', '@types', '@standard-schema'])
    await symlink(join(root, 'node_modules', name), join(modules, name))
  await writeFile(join(path, 'package.json'), '{ "type": "module", "private": true }')
  const command = `exec '${process.execPath}' '${main}' "$@"\n`
  await writeFile(join(bin, 'millrace'), `#!/bin/sh\n${command}`, { mode: 0o755 })
  await writeFile(
    join(bin, 'npx'),
    `#!/bin/sh\ntest "$1" = millrace || exit 64\nshift\n${command}`,
    {
      mode: 0o755,
    },
  )
  return {
    path,
    bin,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true })
    },
  }
}

/** The package's own manifest, its subpaths leading to the sources that they are built from. */
async function sourceManifest(): Promise<object> {
  const text = await readFile(join(root, 'packages/millrace/package.json'), 'utf8')
  const manifest = JSON.parse(text) as {
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>
  }
  const subpaths = Object.entries(manifest.exports).flatMap(([name, target]) =>
    typeof target === 'string'
      ? []
      : [[name, target.default.replace('./dist/', './src/').replace(/\.js$/, '.ts')] as const],
  )
  return { name: 'millrace', type: 'module', exports: Object.fromEntries(subpaths) }
}
