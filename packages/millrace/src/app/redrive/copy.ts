import { headerNames, headersOfCopy } from '../dead-letter/headers.ts'
import type { EncodedMessage } from '../ports.ts'
import { originalKey, type Letter, type RawLetter } from './letter.ts'

/** Of the last failure: they go on as `millrace-last-…`, so that the next failure has its own. */
const ofTheFailure: ReadonlySet<string> = new Set(
  [
    'source-topic',
    'source-partition',
    'source-offset',
    'source-timestamp',
    'group',
    'consumer',
    'attempts',
    'reason',
    'error-code',
    'error-class',
    'error-message',
    'error-stack',
    'first-failed-at',
    'failed-at',
    'worker',
  ].map((name) => `millrace-${name}`),
)

/** About this letter and no other copy. */
const dropped: ReadonlySet<string> = new Set([
  ...headersOfCopy,
  headerNames.redrives,
  headerNames.sourceKey,
])

/**
 * A letter on its way back: key and value bytes as the message had them, its own headers in order, and the failure renamed.
 * It goes to the partition that it came from where that is its topic.
 */
export function copyOf(
  raw: RawLetter,
  letter: Letter,
  { to, onlyGroup }: { readonly to: string; readonly onlyGroup: boolean },
): EncodedMessage {
  const headers: (readonly [string, Buffer | string | null])[] = []
  for (const header of raw.headers) {
    const [name, value] = header
    if (dropped.has(name) || name.startsWith('millrace-last-')) continue
    headers.push(ofTheFailure.has(name) ? [lastName(name), value] : header)
  }
  headers.push([headerNames.redrives, String(letter.redrives + 1)])
  if (onlyGroup && letter.group !== undefined)
    headers.push([headerNames.onlyGroup, letter.group], [headerNames.copyIn, to])

  const copy = { topic: to, key: originalKey(raw), value: raw.value, headers }
  const isHome = to === letter.sourceTopic && letter.sourcePartition !== undefined
  return isHome ? { ...copy, partition: letter.sourcePartition } : copy
}

function lastName(name: string): string {
  return `millrace-last-${name.slice('millrace-'.length)}`
}
