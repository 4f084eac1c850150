import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { cliReference } from '../../tools/cli-reference.ts'

it('describes every command of the table in the reference, as it is today', async () => {
  const written = await readFile(join(import.meta.dirname, '../../docs/reference/cli.md'), 'utf8')
  assert.equal(written, cliReference(), 'run `npm run docs`')
})
