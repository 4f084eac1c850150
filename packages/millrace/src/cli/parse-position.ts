import { failure } from '../errors/index.ts'
import { parseDuration } from '../kit/index.ts'

/** Where `--from` and `--to` point. */
export type Position =
  | { readonly at: 'start' | 'end' }
  | { readonly at: 'offset'; readonly offset: number }
  /** The last n messages of each partition. */
  | { readonly at: 'last'; readonly count: number }
  | { readonly at: 'time'; readonly timestampMs: number }

/**
 * `start`, `end`, an offset, `-N` (the last N of each partition), `@epoch-ms`, ISO 8601, `2h ago`, `yesterday`, `14:05`.
 * @throws MR_CLI_USAGE
 */
export function parsePosition(text: string, nowMs: number): Position {
  const word = text.trim()
  if (word === 'start' || word === 'end') return { at: word }
  if (/^\d+$/.test(word)) return { at: 'offset', offset: Number(word) }
  if (/^-\d+$/.test(word)) return { at: 'last', count: Number(word.slice(1)) }
  const timestampMs = timeOf(word, nowMs)
  if (timestampMs !== undefined) return { at: 'time', timestampMs }
  throw failure('MR_CLI_USAGE', {
    reason: `${text} is no position; write start, end, an offset, -N for the last N, a time such as 2026-01-31T14:05Z, "2h ago" or @1700000000000`,
  })
}

/** The same for a reader of the client. */
export function startOf(position: Position): ReadStart {
  switch (position.at) {
    case 'start':
      return 'earliest'
    case 'end':
      return 'latest'
    case 'offset':
      return position.offset
    case 'last':
      return -position.count
    case 'time':
      return { timestampMs: position.timestampMs }
  }
}

type ReadStart = 'earliest' | 'latest' | number | { readonly timestampMs: number }

/** Where a reader stops; without a text never. @throws MR_CLI_USAGE */
export function parseEnd(
  text: string | undefined,
  nowMs: number,
): 'end' | 'forever' | number | { readonly timestampMs: number } {
  if (text === undefined) return 'forever'
  const position = parsePosition(text, nowMs)
  switch (position.at) {
    case 'end':
      return 'end'
    case 'offset':
      return position.offset
    case 'time':
      return { timestampMs: position.timestampMs }
    case 'start':
    case 'last':
      throw failure('MR_CLI_USAGE', { reason: `--to ${text} is before every message` })
  }
}

/** Where messages are cut off. @throws MR_CLI_USAGE also without a text: nothing is deleted by omission */
export function parseBefore(
  flag: string,
  text: string | undefined,
  nowMs: number,
): 'end' | number | { readonly timestampMs: number } {
  const position = text === undefined ? undefined : parsePosition(text, nowMs)
  if (position?.at === 'end') return 'end'
  if (position?.at === 'offset') return position.offset
  if (position?.at === 'time') return { timestampMs: position.timestampMs }
  throw failure('MR_CLI_USAGE', { reason: `say ${flag} which offset or time, or ${flag} end` })
}

/** A time alone, as `parsePosition` reads it. @throws MR_CLI_USAGE */
export function parseTime(flag: string, text: string, nowMs: number): number {
  const timestampMs = timeOf(text.trim(), nowMs)
  if (timestampMs !== undefined) return timestampMs
  throw failure('MR_CLI_USAGE', {
    reason: `${flag} ${text} is no time; write 2026-01-31T14:05Z, "2h ago", 14:05 or @1700000000000`,
  })
}

function timeOf(word: string, nowMs: number): number | undefined {
  if (/^@\d+$/.test(word)) return Number(word.slice(1))
  const [, ago] = /^(\S+)\s+ago$/.exec(word) ?? []
  if (ago !== undefined) {
    const ms = parseDuration(ago)
    return ms === undefined ? undefined : nowMs - ms
  }
  if (word === 'yesterday') return midnight(nowMs) - 86_400_000
  if (word === 'today') return midnight(nowMs)
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(word) ?? []
  if (hours !== undefined)
    return midnight(nowMs) + Number(hours) * 3_600_000 + Number(minutes) * 60_000
  if (!/^\d{4}-\d{2}-\d{2}/.test(word)) return undefined
  const parsed = Date.parse(word)
  return Number.isNaN(parsed) ? undefined : parsed
}

function midnight(nowMs: number): number {
  const day = new Date(nowMs)
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime()
}
