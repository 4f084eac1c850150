import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

const root = join(import.meta.dirname, '../..')

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly hasInstallScript?: boolean
  readonly gypfile?: boolean
}

it('installing millrace runs no script and compiles nothing, whatever it depends on', async () => {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>
  }
  const reached = reachable(lock.packages, 'packages/millrace')
  assert.ok(reached.length > 10, `only ${reached.length} packages were found`)
  const scripted = reached.filter((path) => lock.packages[path]?.hasInstallScript === true)
  assert.deepEqual(scripted, [], 'these have install scripts')

  const built: string[] = []
  for (const path of reached) {
    const manifest = await manifestOf(path)
    const scripts = Object.keys(manifest?.scripts ?? {})
    const runs = scripts.filter((name) => /^(pre|post)?install$/.test(name))
    if (manifest?.gypfile === true || runs.length > 0) built.push(path)
  }
  assert.deepEqual(built, [], 'these are built when they are installed')
  const clients = reached.filter((path) => /rdkafka|confluent|kafka/i.test(path))
  assert.deepEqual(clients, [], 'the client is our own')
})

/** Every package that is installed with one, optional ones too. */
function reachable(packages: Readonly<Record<string, Locked>>, from: string): readonly string[] {
  const found = new Set<string>()
  const visit = (path: string): void => {
    const { dependencies = {}, optionalDependencies = {} } = packages[path] ?? {}
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = placeOf(packages, path, name)
      if (at === undefined || found.has(at)) continue
      found.add(at)
      visit(at)
    }
  }
  visit(from)
  return [...found]
}

/** Where Node looks for a package: from the asking one's own folder outwards. */
function placeOf(
  packages: Readonly<Record<string, Locked>>,
  from: string,
  name: string,
): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (packages[path] !== undefined) return path
    if (folder === '') return undefined
  }
}

/** Undefined for what is not installed here, such as the builds for other systems. */
async function manifestOf(path: string): Promise<
  | {
      readonly gypfile?: boolean
      readonly scripts?: Readonly<Record<string, string>>
    }
  | undefined
> {
  try {
    return JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8')) as object
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
