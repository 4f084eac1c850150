import type { AnyCommand, ArgumentSpec, CommandOption } from './command.ts'

/** How arguments and options are written; program and reference both spell them by these. */

/** `<topic>`, `[value]`, `<topics...>` */
export function argumentWords(name: string, spec: ArgumentSpec): string {
  const text = `${kebab(name)}${spec.isList === true ? '...' : ''}`
  return spec.isRequired === false ? `[${text}]` : `<${text}>`
}

/** `-p, --partition <list>` */
export function optionWords(key: string, row: CommandOption): string {
  const short = row.short === undefined ? '' : `-${row.short}, `
  const value = row.type === 'flag' ? '' : ` <${row.choices?.join('|') ?? row.type}>`
  return `${short}${longFlag(key, row)}${value}`
}

export function longFlag(key: string, row: CommandOption): string {
  return row.flag ?? `--${kebab(key)}`
}

/** `write <topic> [value] [options]`, without `millrace`. */
export function usageWords(command: AnyCommand): string {
  const args = Object.entries(command.arguments).map(([name, spec]) => argumentWords(name, spec))
  return [command.name, ...args, '[options]'].join(' ')
}

export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** Options that every command takes. */
export const globalRows = {
  output: {
    type: 'text',
    short: 'o',
    choices: ['text', 'json', 'ndjson', 'yaml'],
    default: 'text',
    env: 'MILLRACE_OUTPUT',
    about: 'what is printed to standard output',
  },
  json: { type: 'flag', about: 'short for --output json' },
  brokers: {
    type: 'text',
    short: 'b',
    about: 'the cluster: host:port or kafka://host:port, several separated by commas',
  },
  config: {
    type: 'text',
    short: 'c',
    about: 'the configuration file; millrace.config.ts otherwise',
  },
  verbose: { type: 'flag', about: 'stack traces with errors' },
} as const satisfies Readonly<Record<string, CommandOption>>
