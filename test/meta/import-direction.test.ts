import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { describe, it } from 'node:test'

const source = join(import.meta.dirname, '../../packages/millrace/src')

const base = ['kit', 'errors', 'telemetry', 'config']
const server = ['protocol', 'storage', 'broker']
const user = ['protocol', 'client', 'app']

/** What a folder may import besides itself. Broker and client never meet: they talk over the wire. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  kit: [],
  errors: ['kit'],
  telemetry: ['kit', 'errors'],
  config: ['kit', 'errors', 'telemetry'],
  protocol: base,
  storage: [...base, 'protocol'],
  broker: [...base, ...server],
  client: [...base, 'protocol'],
  app: [...base, 'protocol', 'client'],
  drain: [...base, ...user],
  gateway: [...base, 'protocol', 'client'],
  postgres: [...base, ...user],
  sqlite: [...base, ...user],
  testing: [...base, ...server, ...user, 'drain', 'gateway'],
  cli: [...base, ...server, ...user, 'drain', 'gateway', 'testing'],
  '': [...base, ...user],
}

interface Import {
  readonly file: string
  readonly specifier: string
}

describe('import direction', async () => {
  const imports = await readImports()

  it('goes one way between folders', () => {
    const wrong: string[] = []
    for (const { file, specifier } of imports) {
      const from = folderOf(file)
      const to = folderOf(join(file, '..', specifier))
      const reach = allowed[from]
      if (!reach) wrong.push(`${file}: the folder ${from} has no row in this test`)
      else if (from !== to && !reach.includes(to)) wrong.push(`${file} imports ${specifier}`)
    }
    assert.deepEqual(wrong, [])
  })

  it('passes through the other folder’s index alone', () => {
    const wrong = imports.filter(({ file, specifier }) => {
      const target = join(file, '..', specifier)
      return folderOf(file) !== folderOf(target) && !/^[\w-]+\/index\.ts$/.test(target)
    })
    assert.deepEqual(wrong, [])
  })
})

/** The part that a file belongs to: the first folder below src, or '' for the root index. */
function folderOf(file: string): string {
  const parts = file.split(sep)
  return parts.length > 1 ? (parts[0] ?? '') : ''
}

async function readImports(): Promise<readonly Import[]> {
  const found: Import[] = []
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const isSource = entry.isFile() && entry.name.endsWith('.ts')
    if (!isSource || /\.(test|contract)\.ts$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    const text = await readFile(path, 'utf8')
    for (const [, specifier] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      found.push({ file: relative(source, path), specifier: specifier ?? '' })
    }
  }
  return found
}
