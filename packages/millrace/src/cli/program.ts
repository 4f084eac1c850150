import { Command as Commander, CommanderError, Option } from 'commander'

import { resolveOptions, type OptionTable, type OptionValues } from '../config/index.ts'
import { failure } from '../errors/index.ts'
import type {
  AnyCommand,
  ArgumentTable,
  CommandOption,
  CommandRow,
  GlobalOptions,
} from './command.ts'
import { exitCodes } from './exit-code.ts'
import type { OutputFormat } from './printer.ts'
import { argumentWords, globalRows, longFlag, optionWords } from './words.ts'

export interface ProgramOptions {
  readonly commands: readonly CommandRow[]
  readonly version: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Help and version, which are what was asked for. */
  readonly write: (text: string) => void
  /** Runs one command with what the user typed. */
  readonly run: (
    command: AnyCommand,
    input: Readonly<Record<string, unknown>>,
    globals: GlobalOptions,
  ) => Promise<number>
}

const nounAbouts: Readonly<Record<string, string>> = {
  generate: 'what other tools want to have of Millrace',
  topics: 'topics: list, look at, create, alter, trim, delete; plan and migrate declared ones',
  workers: 'workers that run in this folder: list, pause and resume topics',
  groups: 'consumer groups: list, look at, reset, delete',
  'dead-letters': 'dead letters: count by error, look at one, send back',
  outbox: 'messages that wait in the application’s outbox: list, retry, drop',
}

/** Root help opens with these; a test runs each one that stops by itself. */
export const rootExamples: readonly string[] = [
  'millrace dev',
  'millrace topics list',
  `millrace write orders '{"id":1}'`,
  'millrace tail orders --from start --exit',
]

/**
 * Builds the command line from the table and runs it.
 * @returns the exit code: help is 0, no command is help and 2
 * @throws MR_CLI_USAGE with what was probably meant
 */
export async function runProgram(
  argv: readonly string[],
  options: ProgramOptions,
): Promise<number> {
  let exitCode: number = exitCodes.done
  const program = newCommander('millrace', options)
    .description('Event streaming for TypeScript web applications')
    .version(options.version)
    .addHelpText('before', examplesText(rootExamples))
    .addHelpText('after', '\nEvery command has --help, with examples.')
  const nouns = new Map<string, Commander>()

  const asked = rowsAsked(argv, options.commands)
  for (const row of options.commands) {
    const [noun = '', verb] = row.name.split(' ')
    const parent = verb === undefined ? program : nounOf(program, nouns, noun, options)
    const built = newCommander(verb ?? noun, options).description(row.about)
    for (const alias of row.aliases ?? []) built.alias(alias)
    parent.addCommand(built)
    if (!asked.includes(row)) continue
    const { load, ...head } = row
    const command: AnyCommand = { ...head, ...(await load()) }
    addArguments(built, command.arguments)
    addOptions(built, command.options)
    addOptions(built, globalRows)
    built.addHelpText('before', examplesText(command.examples))
    built.action(async () => {
      const globals = globalsOf(built, options)
      const input = {
        ...argumentsOf(built, command.arguments),
        ...valuesOf(built, command.options, options),
      }
      exitCode = await options.run(command, input, globals)
    })
  }

  if (argv.length === 0) {
    options.write(program.helpInformation())
    return exitCodes.usage
  }
  try {
    await program.parseAsync(withVerb(argv, nouns), { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return exitCodes.done
    const reason = error.message.replace(/^error: /, '')
    throw failure('MR_CLI_USAGE', { reason }, { cause: error })
  }
}

/** Those that the words can mean: each of the others is a line of a list of commands, and need not be loaded. */
function rowsAsked(argv: readonly string[], rows: readonly CommandRow[]): readonly CommandRow[] {
  const [noun = '', verb = ''] = argv.filter((word) => !word.startsWith('-') && word !== 'help')
  return rows.filter(({ name, aliases = [] }) => {
    const [own = '', ownVerb] = name.split(' ')
    if (ownVerb === undefined) return own === noun || aliases.includes(noun)
    const isNoun = own === noun || own.replace(/s$/, '') === noun
    return isNoun && (ownVerb === verb || aliases.includes(verb) || ownVerb === 'list')
  })
}

function newCommander(name: string, { write }: ProgramOptions): Commander {
  // Errors are reported by the caller, in the format that was asked for.
  const output = { writeOut: write, writeErr: () => undefined, outputError: () => undefined }
  return new Commander(name)
    .exitOverride()
    .showSuggestionAfterError(true)
    .allowExcessArguments(false)
    .configureOutput(output)
}

/** `topics`, also as `topic`. */
function nounOf(
  program: Commander,
  nouns: Map<string, Commander>,
  noun: string,
  options: ProgramOptions,
): Commander {
  const known = nouns.get(noun)
  if (known) return known
  const made = newCommander(noun, options).description(nounAbouts[noun] ?? noun)
  const singular = noun.replace(/s$/, '')
  // `worker` runs one, whatever `workers` does.
  const isTaken = options.commands.some(({ name }) => name === singular)
  if (singular !== noun && !isTaken) made.alias(singular)
  program.addCommand(made)
  nouns.set(noun, made)
  return made
}

/**
 * A bare noun lists. Written out here, since a default command of commander's would swallow mistyped verbs as its
 * arguments.
 */
function withVerb(argv: readonly string[], nouns: ReadonlyMap<string, Commander>): string[] {
  const [word = '', next = ''] = argv
  const noun = [...nouns.values()].find((one) => one.name() === word || one.alias() === word)
  const isBare = next === '' || (next.startsWith('-') && next !== '--help' && next !== '-h')
  if (!noun || !isBare || !noun.commands.some((verb) => verb.name() === 'list')) return [...argv]
  return [word, 'list', ...argv.slice(1)]
}

function addArguments(built: Commander, table: ArgumentTable): void {
  for (const [name, spec] of Object.entries(table))
    built.argument(argumentWords(name, spec), spec.about)
}

function addOptions(built: Commander, table: OptionTable): void {
  for (const [key, row] of Object.entries<CommandOption>(table)) {
    const isPlain = row.default === undefined || row.default === false
    const option = new Option(
      optionWords(key, row),
      `${row.about}${isPlain ? '' : ` (default ${String(row.default)})`}`,
    )
    if (row.type === 'list') option.argParser(collect)
    built.addOption(option)
  }
}

/** A list option may be repeated, and each time hold several at once. */
function collect(value: string, former: readonly string[] | undefined): readonly string[] {
  return [...(former ?? []), value]
}

function globalsOf(built: Commander, options: ProgramOptions): GlobalOptions {
  const { output, json, brokers, config, verbose } = valuesOf(built, globalRows, options)
  return {
    output: json === true ? 'json' : (output as OutputFormat),
    brokers,
    config,
    verbose: verbose === true,
  }
}

function argumentsOf(built: Commander, table: ArgumentTable): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [index, name] of Object.keys(table).entries())
    values[name] = built.processedArgs[index]
  return values
}

/** Flag, then environment, then default, parsed by the option's type; all faults at once. */
function valuesOf<const T extends OptionTable>(
  built: Commander,
  table: T,
  { env }: ProgramOptions,
): OptionValues<T> {
  const raw: Record<string, unknown> = built.opts()
  const flags: Record<string, unknown> = {}
  const named: Record<string, CommandOption> = {}
  for (const [key, row] of Object.entries<CommandOption>(table)) {
    const flag = longFlag(key, row)
    flags[key] = raw[camel(flag.slice(2))]
    // Faults name what was typed.
    named[key] = { ...row, flag }
  }
  const { values, faults: found, origins } = resolveOptions(named, { flags, env })
  const faults = [...found, ...rangeFaults(named, values, origins)]
  if (faults.length > 0) throw failure('MR_CLI_USAGE', { reason: faults.join('\n') })
  return values as OptionValues<T>
}

function rangeFaults(
  table: Readonly<Record<string, CommandOption>>,
  values: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.entries(table).flatMap(([key, { range, flag, env }]) => {
    const value = values[key]
    if (range === undefined || typeof value !== 'number') return []
    const [least, most] = range
    if (Number.isInteger(value) && value >= least && value <= most) return []
    const place = origins[key] === 'env' ? env : flag
    return [`${place}: ${value} is not a whole number from ${least} to ${most}`]
  })
}

function examplesText(examples: readonly string[]): string {
  return `Examples:\n${examples.map((example) => `  $ ${example}`).join('\n')}\n`
}

function camel(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
