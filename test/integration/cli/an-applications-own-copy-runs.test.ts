import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'

import { root } from '../docs/read-page.ts'

it('a command that is installed for the machine runs the copy of the application', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-copy-'))
  try {
    const own = join(folder, 'node_modules/millrace')
    await mkdir(join(own, 'dist/cli'), { recursive: true })
    await writeFile(join(own, 'package.json'), '{ "name": "millrace", "type": "module" }')
    await writeFile(
      join(own, 'dist/cli/main.js'),
      "console.log('own copy', ...process.argv.slice(2))",
    )
    const inside = join(folder, 'app')
    await mkdir(inside)
    const shown = await new Promise<string>((resolve, reject) => {
      execFile(
        process.execPath,
        [join(root, 'packages/millrace/bin/millrace.js'), 'flow', '--json'],
        { cwd: inside },
        (error, stdout) => (error ? reject(error) : resolve(stdout)),
      )
    })
    assert.equal(shown, 'own copy flow --json\n')
  } finally {
    await rm(folder, { recursive: true })
  }
})
