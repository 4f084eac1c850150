import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { defineCommand, type AnyCommand, type CommandRow, type GlobalOptions } from './command.ts'
import { runProgram } from './program.ts'
import { commandRows, loadCommands } from './table.ts'

const table = await loadCommands()

const list: AnyCommand = {
  name: 'topics list',
  about: 'Lists.',
  safety: 'read',
  ...defineCommand({
    arguments: {},
    options: {
      limit: { type: 'number', short: 'n', about: 'how many' },
      wait: { type: 'duration', default: '1s', env: 'MR_WAIT', about: 'how long' },
      header: { type: 'list', short: 'H', about: 'may be repeated' },
      dryRun: { type: 'flag', about: 'only look' },
      mode: { type: 'text', choices: ['a', 'b'], about: 'which' },
    },
    examples: ['millrace topics list --limit 3'],
    run: () => Promise.resolve(),
  }),
}
const write: AnyCommand = {
  name: 'write',
  aliases: ['send'],
  about: 'Sends.',
  safety: 'write',
  ...defineCommand({
    arguments: { topic: { about: 't' }, values: { about: 'v', isRequired: false, isList: true } },
    options: {},
    examples: [],
    run: () => Promise.resolve(),
  }),
}

interface Given {
  readonly env: Readonly<Record<string, string>>
  readonly commands: readonly CommandRow[]
}

interface Ran {
  readonly command?: AnyCommand
  readonly input?: Readonly<Record<string, unknown>>
  readonly globals?: GlobalOptions
  readonly text: string
  readonly code: number
}

function rowOf(command: AnyCommand): CommandRow {
  return { ...command, load: () => Promise.resolve(command) }
}

async function run(
  argv: readonly string[],
  { env = {}, commands = [list, write].map(rowOf) }: Partial<Given> = {},
): Promise<Ran> {
  let ran: Partial<Ran> = {}
  let text = ''
  const code = await runProgram(argv, {
    commands,
    env,
    version: '1.2.3',
    write: (more) => void (text += more),
    run(command, input, globals) {
      ran = { command, input, globals }
      return Promise.resolve(0)
    },
  })
  return { ...ran, text, code }
}

describe('the program', () => {
  it('lists for a bare noun, also in the singular', async () => {
    for (const argv of [['topics'], ['topic'], ['topics', '--limit', '3'], ['topics', 'list']])
      assert.equal((await run(argv)).command?.run, list.run, argv.join(' '))
  })

  it('gives a command its arguments and options, typed by their rows', async () => {
    const { input } = await run(
      ['topics', 'list', '-n', '3', '-H', 'a=1', '-H', 'b=2', '--dry-run', '--mode', 'b'],
      { env: { MR_WAIT: '2m' } },
    )
    assert.deepEqual(
      { ...input },
      { limit: 3, wait: 120_000, header: ['a=1', 'b=2'], dryRun: true, mode: 'b' },
    )
    const { input: sent } = await run(['send', 'orders', 'x', 'y'])
    assert.deepEqual({ ...sent }, { topic: 'orders', values: ['x', 'y'] })
  })

  it('takes the options of every command', async () => {
    const { globals } = await run(['topics', '--json', '--brokers', 'a:1'])
    assert.deepEqual(globals, { output: 'json', brokers: 'a:1', config: undefined, verbose: false })
    const byEnv = await run(['topics'], { env: { MILLRACE_OUTPUT: 'yaml' } })
    assert.equal(byEnv.globals?.output, 'yaml')
  })

  it('says what was probably meant', async () => {
    const cases: readonly (readonly [string[], RegExp])[] = [
      [['topcs'], /topics/],
      [['topics', 'lits'], /list/],
      [['topics', '--limt', '3'], /--limit/],
      [['topics', '--limit', 'many'], /many is not a number/],
      [['topics', '--mode', 'c'], /c is not one of a, b/],
      [['write'], /missing required argument 'topic'/],
    ]
    for (const [argv, expected] of cases)
      await assert.rejects(run(argv), (error: Error & { code: string }) => {
        assert.match(error.message, expected, argv.join(' '))
        assert.equal(error.code, 'MR_CLI_USAGE')
        return true
      })
  })

  it('opens its help with examples; help is 0, no command is help and 2', async () => {
    const help = await run(['topics', 'list', '--help'])
    assert.equal(help.code, 0)
    assert.match(help.text, /^Examples:\n {2}\$ millrace topics list --limit 3\n/)
    const root = await run(['--help'])
    assert.match(root.text, /^Examples:/)
    assert.match(root.text, /write\|send/)
    const none = await run([])
    assert.equal(none.code, 2)
    assert.match(none.text, /Usage: millrace/)
    assert.equal((await run(['--version'])).text, '1.2.3\n')
  })
})

describe('the command table', () => {
  it('has an example, a summary and documented options for each command', () => {
    for (const command of table) {
      assert.ok(command.examples.length > 0, command.name)
      assert.match(command.about, /^[A-Z].*\.$/, command.name)
      for (const [key, row] of Object.entries(command.options))
        assert.ok(row.about.length > 3, `${command.name} ${key}`)
    }
  })

  it('has help for each command', async () => {
    for (const { name } of table) {
      const { text, code } = await run([...name.split(' '), '--help'], { commands: commandRows })
      assert.equal(code, 0, name)
      assert.match(text, /^Examples:/, name)
    }
  })

  it('wants confirmation from a flag for whatever destroys', () => {
    for (const { name, safety, options } of table)
      if (safety === 'destroy') assert.ok('yes' in options && 'dryRun' in options, name)
  })

  it('can show a change before it is made', () => {
    for (const { name, safety, options } of table)
      if (safety === 'change') assert.ok('dryRun' in options || 'execute' in options, name)
  })
})
