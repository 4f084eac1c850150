import { basename } from 'node:path'
import { parseArgs } from 'node:util'

export const templates = ['plain', 'hono'] as const
export type Template = (typeof templates)[number]

export const templateTexts: Readonly<Record<Template, string>> = {
  plain: 'A worker, without a web framework',
  hono: 'A worker, and a Hono server that sends events',
}

/** What the command line says; undefined is what may be asked for. */
export interface Flags {
  readonly folder: string | undefined
  readonly template: Template | undefined
  readonly isInstalled: boolean | undefined
  /** Asks nothing and takes the defaults. */
  readonly isSilent: boolean
  /** The version, or the archive, of millrace that the project depends on. */
  readonly millrace: string | undefined
}

/** Everything decided. */
export interface Choices {
  readonly folder: string
  readonly template: Template
  readonly isInstalled: boolean
}

export const defaults: Choices = { folder: 'shop', template: 'plain', isInstalled: true }

export const usage = `Usage: npm create millrace@latest [folder] -- [options]

  --template ${templates.join('|')}  what to begin with (default ${defaults.template})
  --no-install            do not run npm install
  --no-interactive        ask nothing, take the defaults
  --millrace SPEC         the version of millrace, or the path of its archive
  --help
`

/** A command line that cannot be meant; its text says why. */
export class UsageFault extends Error {}

/** @throws UsageFault */
export function readFlags(argv: readonly string[]): Flags | 'help' {
  const parsed = parse(argv)
  const { help, template, install, interactive, millrace } = parsed.values
  if (help === true) return 'help'
  const [folder, ...more] = parsed.positionals
  if (more.length > 0) throw new UsageFault(`one folder is enough, there is also ${more.join(' ')}`)
  if (template !== undefined && !isTemplate(template))
    throw new UsageFault(`--template ${template} is none of ${templates.join(', ')}`)
  return {
    folder,
    template,
    isInstalled: install,
    isSilent: interactive === false,
    millrace,
  }
}

function parse(argv: readonly string[]): ReturnType<typeof parseWords> {
  try {
    return parseWords(argv)
  } catch (error) {
    throw new UsageFault(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- node:util infers it from the options
function parseWords(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    allowNegative: true,
    options: {
      template: { type: 'string' },
      install: { type: 'boolean' },
      interactive: { type: 'boolean' },
      millrace: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
}

function isTemplate(text: string): text is Template {
  return (templates as readonly string[]).includes(text)
}

/** What npm takes for a name, and Kafka for the beginning of a group id. */
export function projectName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return name === '' ? 'app' : name
}
