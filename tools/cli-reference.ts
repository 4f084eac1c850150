import type { AnyCommand, CommandOption, Safety } from '../packages/millrace/src/cli/command.ts'
import { loadCommands } from '../packages/millrace/src/cli/table.ts'
import {
  argumentWords,
  globalRows,
  optionWords,
  usageWords,
} from '../packages/millrace/src/cli/words.ts'

const commands = await loadCommands()

const safetyText: Readonly<Record<Safety, string>> = {
  read: 'Only looks.',
  write: 'Writes at once.',
  change: 'Changes what is there; shows it first.',
  destroy: 'Destroys: shows what will be lost, and wants its name typed or `--yes`.',
  run: '',
}

const exitCodeLines: readonly string[] = [
  '- 0: done; also the normal end of `tail` by Ctrl-C',
  '- 1: failed',
  '- 2: the command line is wrong, or a confirmation is missing',
  '- 3: `doctor` found problems',
  '- 130: interrupted',
]

/** `docs/reference/cli.md`, made from the command table. */
export function cliReference(): string {
  return [
    '# The command line',
    'Made from the command table by `npm run docs`. Data goes to standard output, everything else to standard error.',
    `## Options of every command\n\n${optionList(globalRows)}`,
    '## Which cluster\n\nThe first of: `--brokers`; `KAFKA_URL`, as `kafka://host:port` or `kafka+ssl://host:port`, several separated by commas (with PEM texts in `KAFKA_TRUSTED_CERT`, `KAFKA_CLIENT_CERT`, `KAFKA_CLIENT_CERT_KEY`); the configuration file; a `millrace dev` that runs in this folder; `localhost:9092`. `millrace config` says which.',
    `## Exit codes\n\n${exitCodeLines.join('\n')}`,
    ...commands.map(commandSection),
  ]
    .join('\n\n')
    .concat('\n')
}

function commandSection(command: AnyCommand): string {
  const args = Object.entries(command.arguments).map(
    ([name, spec]) => `- \`${argumentWords(name, spec)}\`: ${spec.about}`,
  )
  const aliases = (command.aliases ?? []).map((alias) => `\`${alias}\``).join(', ')
  return [
    `## millrace ${command.name}`,
    [command.about, safetyText[command.safety], aliases === '' ? '' : `Also as ${aliases}.`]
      .filter((text) => text !== '')
      .join(' '),
    `\`\`\`sh\nmillrace ${usageWords(command)}\n\`\`\``,
    ...(args.length === 0 ? [] : [args.join('\n')]),
    ...(Object.keys(command.options).length === 0 ? [] : [optionList(command.options)]),
    `\`\`\`sh\n${command.examples.join('\n')}\n\`\`\``,
  ].join('\n\n')
}

function optionList(table: AnyCommand['options']): string {
  return Object.entries<CommandOption>(table)
    .map(([key, row]) => {
      const isPlain = row.default === undefined || row.default === false
      const facts = [
        ...(isPlain ? [] : [`default \`${String(row.default)}\``]),
        ...(row.env === undefined ? [] : [`variable \`${row.env}\``]),
      ]
      const suffix = facts.length === 0 ? '' : ` (${facts.join(', ')})`
      return `- \`${optionWords(key, row)}\`: ${row.about}${suffix}`
    })
    .join('\n')
}
