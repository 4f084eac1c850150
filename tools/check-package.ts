/**
 * Checks the package as a stranger gets it: packs it, lints its manifest and types, installs the archive in an empty
 * folder, type-checks and runs a program that imports every subpath, and asks the command for help.
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const packageFolder = join(root, 'packages/millrace')
const tools = join(root, 'node_modules/.bin')

const manifest = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, unknown>>
}
const subpaths = Object.keys(manifest.exports)
  .filter((path) => path !== './package.json')
  .map((path) => `millrace${path.slice(1)}`)

const folder = await mkdtemp(join(tmpdir(), 'millrace-package-'))
try {
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], packageFolder)
  const [archive = ''] = execFileSync('ls', [folder], { encoding: 'utf8' }).trim().split('\n')
  const path = join(folder, archive)

  run(join(tools, 'publint'), ['run', path, '--strict'], root)
  run(join(tools, 'attw'), [path, '--profile', 'esm-only'], root)

  const files = execFileSync('tar', ['-tzf', path], { encoding: 'utf8' }).trim().split('\n')
  const unwanted = files.filter((file) => /\.(test|contract)\.|fixtures|tsbuildinfo/.test(file))
  if (unwanted.length > 0)
    throw new Error(`the package holds what it should not: ${unwanted.join(', ')}`)

  const program = `${subpaths.map((name, index) => `import * as part${index} from '${name}'`).join('\n')}
const parts: readonly object[] = [${subpaths.map((_, index) => `part${index}`).join(', ')}]
for (const part of parts) if (Object.keys(part).length === 0) throw new Error('an empty subpath')
console.log(parts.length, 'subpaths import')
`
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  await writeFile(join(folder, 'program.ts'), program)
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', path], folder)
  run(
    join(tools, 'tsc'),
    [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'esnext',
      '--types',
      'node',
      '--typeRoots',
      join(root, 'node_modules/@types'),
      'program.ts',
    ],
    folder,
  )
  run(process.execPath, ['program.ts'], folder)
  run(process.execPath, [join(folder, 'node_modules/millrace/bin/millrace.js'), '--help'], folder)
  console.log(`The package holds ${files.length} files and works from its archive.`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, [...args], { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
}
