import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { metricReference } from '../../tools/metric-reference.ts'

it('lists every metric of the table in the reference, with its text of today', async () => {
  const written = await readFile(
    join(import.meta.dirname, '../../docs/reference/metrics.md'),
    'utf8',
  )
  assert.equal(written, metricReference(), 'run `npm run docs`')
})
