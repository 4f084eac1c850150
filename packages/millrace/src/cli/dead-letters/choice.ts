import type { LetterChoice } from '../../app/index.ts'
import { failure } from '../../errors/index.ts'
import type { CommandOption } from '../command.ts'
import { parseTime } from '../parse-position.ts'

/** Options that choose letters, for every command that does. */
export const choiceOptions = {
  at: {
    type: 'text',
    about: 'only this letter, PARTITION:OFFSET, or these, PARTITION:FROM-TO, both included',
  },
  error: { type: 'text', about: 'only this error: its code, or its class where it has none' },
  reason: {
    type: 'text',
    choices: ['error', 'undecodable', 'expired', 'handler'],
    about: 'only letters that were given up for this reason',
  },
  group: { type: 'text', about: 'only letters of this group, as the application names it' },
  key: { type: 'text', short: 'k', about: 'only letters with this key' },
  header: { type: 'list', about: 'only letters with this header, NAME=VALUE; may be repeated' },
  since: { type: 'text', about: 'only letters that died at or after this time' },
  before: { type: 'text', about: 'only letters that died before this time' },
} as const satisfies Readonly<Record<string, CommandOption>>

export interface ChoiceInput {
  readonly at: string | undefined
  readonly error: string | undefined
  readonly reason: string | undefined
  readonly group: string | undefined
  readonly key: string | undefined
  readonly header: readonly string[] | undefined
  readonly since: string | undefined
  readonly before: string | undefined
}

/** What the options choose, and the options as another run has to give them: times in full. @throws MR_CLI_USAGE */
export function choiceOf(
  input: ChoiceInput,
  nowMs: number,
): { readonly choice: LetterChoice; readonly flags: string } {
  const { error, reason, group, key } = input
  const place = input.at === undefined ? undefined : parseAt(input.at)
  const time = (flag: string, text: string | undefined): Date | undefined =>
    text === undefined ? undefined : new Date(parseTime(flag, text, nowMs))
  const from = time('--since', input.since)
  const before = time('--before', input.before)
  const headers = headersOf(input.header ?? [])
  const choice: LetterChoice = {
    ...place,
    ...(error === undefined ? {} : { error }),
    ...(reason === undefined ? {} : { reason: reason as NonNullable<LetterChoice['reason']> }),
    ...(group === undefined ? {} : { group }),
    ...(key === undefined ? {} : { key }),
    ...(from === undefined && before === undefined
      ? {}
      : { time: { ...(from && { from }), ...(before && { before }) } }),
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
  }
  const flags = [
    ['--at', input.at],
    ['--error', error],
    ['--reason', reason],
    ['--group', group],
    ['--key', key],
    ...headers.map(([name, value]) => ['--header', `${name}=${value}`] as const),
    ['--since', from?.toISOString()],
    ['--before', before?.toISOString()],
  ].flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${quoted(value)}`]))
  return { choice, flags: flags.join(' ') }
}

/** `0:42`, `0:42-50`. @throws MR_CLI_USAGE */
export function parseAt(text: string): Required<Pick<LetterChoice, 'partitions' | 'offsets'>> {
  const [, partition, from, to = from] = /^(\d+):(\d+)(?:-(\d+))?$/.exec(text) ?? []
  if (partition === undefined)
    throw failure('MR_CLI_USAGE', {
      reason: `${text} is no place; write PARTITION:OFFSET, as 0:42, or PARTITION:FROM-TO`,
    })
  return { partitions: [Number(partition)], offsets: { from: Number(from), to: Number(to) } }
}

function headersOf(words: readonly string[]): readonly (readonly [name: string, value: string])[] {
  return words.map((word) => {
    const at = word.indexOf('=')
    if (at < 1) throw failure('MR_CLI_USAGE', { reason: `--header ${word}: write NAME=VALUE` })
    return [word.slice(0, at), word.slice(at + 1)]
  })
}

function quoted(value: string): string {
  return /^[\w.:=/+-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
}
