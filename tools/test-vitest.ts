/**
 * Runs the test kit under Vitest, in `test/vitest/`, against the built package. Vitest is installed there from its lock
 * file; where it cannot be, this says so and ends well, as the other foreign tools do.
 *
 *     node tools/test-vitest.ts [PACKAGE_FOLDER]
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const root = join(import.meta.dirname, '..')
const project = join(root, 'test/vitest')
const modules = join(project, 'node_modules')
const packageFolder = resolve(process.argv[2] ?? join(root, 'packages/millrace'))

if (!existsSync(join(packageFolder, 'dist/testing/index.js'))) {
  console.error(`${packageFolder} is not built: run npm run build first.`)
  process.exit(1)
}

try {
  execFileSync('npm', ['ci', '--no-workspaces', '--ignore-scripts', '--prefer-offline'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 120_000,
  })
} catch (error) {
  const said = String((error as { readonly stderr?: unknown }).stderr ?? error)
  console.log(`The test kit was NOT run under Vitest, which cannot be installed here:\n${said}`)
  process.exit(0)
}

const link = join(modules, 'millrace')
await mkdir(modules, { recursive: true })
await rm(link, { recursive: true, force: true })
await symlink(packageFolder, link)

const { status } = spawnSync(process.execPath, [join(modules, 'vitest/vitest.mjs'), 'run'], {
  cwd: project,
  stdio: 'inherit',
  timeout: 120_000,
})
process.exit(status ?? 1)
