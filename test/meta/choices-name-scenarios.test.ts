import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

const root = join(import.meta.dirname, '../..')

it('every scenario that the page of choices names is there', async () => {
  const text = await readFile(join(root, 'docs/guides/choices.md'), 'utf8')
  const known = new Set(await readdir(join(root, 'test/scenarios/systems')))
  const named = Array.from(text.matchAll(/`([a-z]\d+-[a-z0-9-]+)`/g), ([, name]) => `${name}.ts`)
  assert.ok(named.length > 15, `only ${named.length} are named`)
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  )
})
