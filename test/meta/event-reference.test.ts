import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { eventReference } from '../../tools/event-reference.ts'

it('lists every event of the tables in the reference, with its text of today', async () => {
  const written = await readFile(
    join(import.meta.dirname, '../../docs/reference/events.md'),
    'utf8',
  )
  assert.equal(written, eventReference(), 'run `npm run docs`')
})
