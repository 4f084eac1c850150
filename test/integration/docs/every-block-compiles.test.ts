import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { exampleModules } from './read-examples.ts'
import { pagePaths, readPage, root } from './read-page.ts'
import { makeReaderFolder } from './reader-folder.ts'

it('every TypeScript block of the guides, and every example of a public export, compiles', async () => {
  await using folder = await makeReaderFolder()
  const places = new Map<string, string>()
  const put = async (at: string, file: string, text: string, place: string): Promise<void> => {
    await mkdir(join(folder.path, at), { recursive: true })
    await writeFile(join(folder.path, at, file), text)
    places.set(join(at, file), place)
  }
  for (const path of pagePaths) {
    for (const block of (await readPage(path)).blocks) {
      if (block.language !== 'ts') continue
      const file = block.file ?? `line-${block.line}.ts`
      // A module even when it imports nothing, so that its names meet no other block's.
      await put(
        path.replaceAll(/\W/g, '-'),
        file,
        `${block.text}export {}\n`,
        `${path}:${block.line}`,
      )
    }
  }
  for (const { name, text, place } of await exampleModules())
    await put('examples', `${name}.ts`, text, place)

  await writeFile(
    join(folder.path, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        noEmit: true,
        composite: false,
        declaration: false,
        declarationMap: false,
        sourceMap: false,
        rewriteRelativeImportExtensions: false,
        allowImportingTsExtensions: true,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: ['*/*.ts'],
    }),
  )
  const { code, stdout } = await run(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], folder.path)
  const named = stdout.replaceAll(
    /^(\S+?\.ts)(?=\()/gm,
    (file) => `${places.get(file) ?? '?'} as ${file}`,
  )
  assert.equal(code, 0, named)
  assert.ok(places.size > 20, `only ${places.size} blocks were found`)
})

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number; readonly stdout: string }> {
  return new Promise((resolve) => {
    execFile(command, [...args], { cwd }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? 1 : 0
      resolve({ code, stdout: `${stdout}${stderr}` })
    })
  })
}
