import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { optionReference } from '../../tools/option-reference.ts'

it('lists every option of the tables in the reference, with its text of today', async () => {
  const written = await readFile(
    join(import.meta.dirname, '../../docs/reference/options.md'),
    'utf8',
  )
  assert.equal(written, optionReference(), 'run `npm run docs`')
})
