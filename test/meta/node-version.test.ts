import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

it('runs on the pinned Node, whatever the machine has', async () => {
  const manifest = JSON.parse(
    await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'),
  ) as { readonly devDependencies: { readonly node: string } }
  assert.equal(process.versions.node, manifest.devDependencies.node)
})
