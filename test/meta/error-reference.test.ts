import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { errorReference } from '../../tools/error-reference.ts'

it('lists every error of the table in the reference, with its text of today', async () => {
  const written = await readFile(
    join(import.meta.dirname, '../../docs/reference/errors.md'),
    'utf8',
  )
  assert.equal(written, errorReference(), 'run `npm run docs`')
})
