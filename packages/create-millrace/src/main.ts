/** `npm create millrace`: asks little, writes a project, installs it, says what to type next. */
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'

import { ask } from './ask.ts'
import { install, packageManager } from './install.ts'
import { readFlags, usage, UsageFault } from './options.ts'
import { FolderTaken, writeProject } from './write-project.ts'

process.exitCode = await run(process.argv.slice(2))

async function run(argv: readonly string[]): Promise<number> {
  try {
    return await create(argv)
  } catch (error) {
    if (error instanceof UsageFault) {
      process.stderr.write(`${error.message}\n\n${usage}`)
      return 2
    }
    if (!(error instanceof FolderTaken)) throw error
    process.stderr.write(
      `${error.message}\n  Name another folder, or run \`npx millrace install\` in an application that is there already.\n`,
    )
    return 1
  }
}

async function create(argv: readonly string[]): Promise<number> {
  const flags = readFlags(argv)
  if (flags === 'help') {
    process.stdout.write(usage)
    return 0
  }
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY
  const choices = await ask(flags, isTerminal)
  if (choices === undefined) {
    process.stderr.write('Nothing was written.\n')
    return 130
  }
  const folder = resolve(choices.folder)
  const { template } = choices
  const files = await writeProject({ folder, template, millrace: millraceOf(flags.millrace) })
  process.stdout.write(`Wrote ${files.length} files into ${choices.folder}\n`)

  const manager = packageManager(process.env['npm_config_user_agent'])
  if (choices.isInstalled) {
    const code = await install(manager, folder)
    if (code !== 0) {
      process.stderr.write(
        `${manager} install ended with ${code}. The project is there: try it again in ${choices.folder}.\n`,
      )
      return 1
    }
  }
  const place = relative(process.cwd(), folder)
  const steps = [
    ...(place === '' ? [] : [`cd ${place}`]),
    ...(choices.isInstalled ? [] : [`${manager} install`]),
    `${manager} run dev`,
    `${manager} run send   # in a second terminal: an event, and the first one shows that it was handled`,
  ]
  process.stdout.write(`\nNext:\n${steps.map((step) => `  ${step}`).join('\n')}\n`)
  return 0
}

/** What the project depends on: a version range, or an archive by its absolute path. */
function millraceOf(given: string | undefined): string {
  if (given === undefined) return `^${ownVersion()}`
  return given.endsWith('.tgz') ? `file:${resolve(given)}` : given
}

/** Both packages carry the same version. */
function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
