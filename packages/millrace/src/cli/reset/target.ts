import { failure } from '../../errors/index.ts'
import { parseDuration } from '../../kit/index.ts'
import { parsePosition } from '../parse-position.ts'

/** Where the committed offsets of a group shall go. */
export type ResetTarget =
  | { readonly to: 'start' | 'end' }
  | { readonly to: 'offset'; readonly offset: number }
  | { readonly to: 'shift'; readonly by: number }
  | { readonly to: 'time'; readonly timestampMs: number }
  | { readonly to: 'group'; readonly group: string }
  | { readonly to: 'file'; readonly path: string }

/**
 * `--to` start, end, an offset, a time, group:OTHER or file:PATH;
 * `--by` +N, -N (offsets) or -1h (the time so long ago).
 * @throws MR_CLI_USAGE unless exactly one of the two is given and can be read
 */
export function parseTarget(
  { to, by }: { readonly to: string | undefined; readonly by: string | undefined },
  nowMs: number,
): ResetTarget {
  if (to !== undefined && by === undefined) return parseTo(to, nowMs)
  if (by !== undefined && to === undefined) return parseBy(by, nowMs)
  throw failure('MR_CLI_USAGE', { reason: 'say where to: either --to or --by' })
}

function parseTo(text: string, nowMs: number): ResetTarget {
  if (text.startsWith('group:')) return { to: 'group', group: text.slice('group:'.length) }
  if (text.startsWith('file:')) return { to: 'file', path: text.slice('file:'.length) }
  const position = parsePosition(text, nowMs)
  switch (position.at) {
    case 'start':
    case 'end':
      return { to: position.at }
    case 'offset':
      return { to: 'offset', offset: position.offset }
    case 'time':
      return { to: 'time', timestampMs: position.timestampMs }
    case 'last':
      throw failure('MR_CLI_USAGE', {
        reason: `--to ${text} is no place; --by ${text} moves by so many messages`,
      })
  }
}

function parseBy(text: string, nowMs: number): ResetTarget {
  if (/^[+-]\d+$/.test(text)) return { to: 'shift', by: Number(text) }
  const ms = text.startsWith('-') ? parseDuration(text.slice(1)) : undefined
  if (ms !== undefined) return { to: 'time', timestampMs: nowMs - ms }
  throw failure('MR_CLI_USAGE', {
    reason: `--by ${text} is neither +N or -N messages nor a time ago, as -1h`,
  })
}
