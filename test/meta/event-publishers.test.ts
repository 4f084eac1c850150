import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { events } from '../../packages/millrace/src/telemetry/index.ts'

const sources = join(import.meta.dirname, '../../packages/millrace/src')

it('has no event in the list that nobody publishes', async () => {
  let text = ''
  for await (const path of glob('**/*.ts', { cwd: sources })) {
    if (path.endsWith('.test.ts') || path.startsWith('telemetry/')) continue
    // Listeners name events as well.
    if (/^app\/(log|metrics)\//.test(path)) continue
    text += await readFile(join(sources, path), 'utf8')
  }
  const published = new Set(
    Array.from(text.matchAll(/\bevents\s*\.(\w+)(?!\.subscribe|\.isHeard)/g), ([, key]) => key),
  )
  const silent = Object.keys(events).filter((key) => !published.has(key))
  assert.deepEqual(silent, [])
})
