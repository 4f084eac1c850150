import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { engineReference } from '../../tools/engine-reference.ts'

it('lists every difference of the engines that the comparing tests accept', async () => {
  const written = await readFile(
    join(import.meta.dirname, '../../docs/reference/engines.md'),
    'utf8',
  )
  assert.equal(written, engineReference(), 'run `npm run docs`')
})
