import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { performanceReference } from '../../tools/performance-reference.ts'

it('publishes the figures of the last kept run, and no others', async () => {
  const written = await readFile(
    join(import.meta.dirname, '../../docs/reference/performance.md'),
    'utf8',
  )
  assert.equal(written, performanceReference(), 'run `npm run docs`')
})
