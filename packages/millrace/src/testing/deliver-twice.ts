import { isDeepStrictEqual } from 'node:util'

import type { EncodedMessage } from '../app/index.ts'

/** A message that was sent, field by field, so that a difference can be named without showing a body. */
interface SentFields {
  readonly topic: string
  readonly partition: string
  readonly key: string
  readonly value: string
  readonly headers: string
}

/** What a delivery did that can be seen from outside, in a form that can be compared. */
export interface Effects {
  /** Sorted: with lanes the order between keys is nobody's promise. */
  readonly sent: readonly SentFields[]
  readonly letters: readonly SentFields[]
  readonly failures: readonly unknown[]
}

export function effectsOf(
  sent: readonly EncodedMessage[],
  letters: readonly EncodedMessage[],
  failures: readonly unknown[],
): Effects {
  return {
    sent: sorted(sent.map(fieldsOf)),
    // Their headers say when they failed, which is another time.
    letters: sorted(letters.map((letter) => fieldsOf({ ...letter, headers: [] }))),
    failures,
  }
}

/**
 * How the second delivery differs from the first, in words; undefined when it does not. Sending nothing is no
 * difference: so does a consumer with an inbox, which knows its messages.
 */
export function differenceOf(
  first: Effects,
  second: Effects,
  seenFirst: unknown,
  seenSecond: unknown,
): string | undefined {
  if (first.failures.length === 0 && second.failures.length > 0)
    return `it failed with ${String(second.failures[0])}`
  const inSent = differenceIn('message', first.sent, second.sent)
  if (inSent !== undefined) return inSent
  const inLetters = differenceIn('dead letter', first.letters, second.letters)
  if (inLetters !== undefined) return inLetters
  return isDeepStrictEqual(seenFirst, seenSecond) ? undefined : 'observe() gives something else'
}

function differenceIn(
  what: string,
  first: readonly SentFields[],
  second: readonly SentFields[],
): string | undefined {
  if (second.length === 0) return undefined
  if (first.length !== second.length)
    return `it sent ${countOf(second, what)} instead of ${countOf(first, what)}`
  for (const [index, own] of second.entries()) {
    const before = first[index] as SentFields
    const field = (Object.keys(own) as (keyof SentFields)[]).find(
      (name) => own[name] !== before[name],
    )
    if (field !== undefined) return `a ${what} to ${before.topic} has another ${field}`
  }
  return undefined
}

function countOf(sent: readonly SentFields[], what: string): string {
  if (sent.length === 0) return `no ${what}`
  const topics = [...new Set(sent.map(({ topic }) => topic))].join(', ')
  return `${sent.length} ${what}${sent.length === 1 ? '' : 's'} to ${topics}`
}

function fieldsOf({ topic, partition, key, value, headers = [] }: EncodedMessage): SentFields {
  // Each send has an id of its own.
  const own = headers.filter(([name]) => name !== 'millrace-id')
  return {
    topic,
    partition: String(partition ?? ''),
    key: textOf(key ?? null),
    value: textOf(value),
    headers: JSON.stringify(own.map(([name, content]) => [name, textOf(content)])),
  }
}

function textOf(bytes: Buffer | string | null): string {
  return bytes === null ? 'null' : `=${bytes.toString('latin1' as BufferEncoding)}`
}

function sorted(sent: readonly SentFields[]): readonly SentFields[] {
  const keyOf = (own: SentFields): string => Object.values(own).join(' ')
  return sent.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
}
