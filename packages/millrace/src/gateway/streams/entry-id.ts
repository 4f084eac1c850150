/**
 * Ids of entries: `<partition>-<offset + 1>`, the position after the entry, which is also the number that a committed
 * offset shows. So `0-0` is never an entry, and `0` and `0-0` can mean the start, as Redis users write.
 */
import { ReplyError } from '../reply.ts'

export interface EntryId {
  readonly partition: number
  /** Offset plus one; 0 is before the first entry. */
  readonly position: number
}

/** Where reading begins, or a range ends. */
export type Place =
  /** `-`, `0`, `0-0`: before everything. */
  | { readonly at: 'start' }
  /** `$`, `+`: after everything that there is now. */
  | { readonly at: 'end' }
  /** `@<unixMs>`: the first entry at or after a time. */
  | { readonly at: 'time'; readonly ms: number }
  | { readonly at: 'id'; readonly id: EntryId }

const dash = 0x2d
const zero = 0x30
const nine = 0x39
const at = 0x40
const largestPartition = 2_147_483_647

export const startPlace: Place = { at: 'start' }
export const endPlace: Place = { at: 'end' }

export function formatEntryId(partition: number, offset: number): string {
  return `${partition}-${offset + 1}`
}

export function invalidId(): ReplyError {
  return new ReplyError('ERR Invalid stream ID specified as stream command argument')
}

/**
 * Reads `<partition>-<n>` or `<partition>` alone, whose position is `missing`; undefined for anything else.
 * Works on bytes: an acknowledgement of a thousand ids makes no strings.
 */
export function readEntryId(text: Buffer, missing = 0): EntryId | undefined {
  const { length } = text
  let partition = 0
  let index = 0
  for (; index < length; index++) {
    const byte = text[index]!
    if (byte < zero || byte > nine) break
    partition = partition * 10 + (byte - zero)
    if (partition > largestPartition) return undefined
  }
  if (index === 0) return undefined
  if (index === length) return { partition, position: missing }
  if (text[index] !== dash || index + 1 === length) return undefined
  const position = readWhole(text, index + 1)
  return position === undefined ? undefined : { partition, position }
}

/** @throws ReplyError in Redis's words */
export function parseEntryId(text: Buffer, missing = 0): EntryId {
  const id = readEntryId(text, missing)
  if (id === undefined) throw invalidId()
  return id
}

/** `0`, `0-0`, `$`, `@<unixMs>` or an id. @throws ReplyError in Redis's words */
export function parsePlace(text: Buffer): Place {
  if (text.length === 1 && text[0] === 0x24) return endPlace
  const byTime = timeOf(text)
  if (byTime) return byTime
  const id = parseEntryId(text)
  return id.partition === 0 && id.position === 0 ? startPlace : { at: 'id', id }
}

/** One end of XRANGE: `-`, `+`, an id, `(` before it, `@<unixMs>`. */
export interface RangeEnd {
  readonly place: Place
  readonly isExclusive: boolean
}

/** @param missing - the position that an id without one has: 0 at the lower end, the greatest at the upper */
export function parseRangeEnd(text: Buffer, missing: number): RangeEnd {
  const isExclusive = text[0] === 0x28
  const bare = isExclusive ? text.subarray(1) : text
  if (bare.length === 1 && !isExclusive) {
    if (bare[0] === dash) return { place: startPlace, isExclusive }
    if (bare[0] === 0x2b) return { place: endPlace, isExclusive }
  }
  const byTime = timeOf(bare)
  return { place: byTime ?? { at: 'id', id: parseEntryId(bare, missing) }, isExclusive }
}

/** By partition, then by offset. */
export function compareIds(left: EntryId, right: EntryId): number {
  return left.partition - right.partition || left.position - right.position
}

function timeOf(text: Buffer): Place | undefined {
  if (text[0] !== at) return undefined
  const ms = readWhole(text, 1)
  if (ms === undefined) throw invalidId()
  return { at: 'time', ms }
}

function readWhole(text: Buffer, from: number): number | undefined {
  if (from === text.length) return undefined
  let value = 0
  for (let index = from; index < text.length; index++) {
    const byte = text[index]!
    if (byte < zero || byte > nine) return undefined
    value = value * 10 + (byte - zero)
    if (value > Number.MAX_SAFE_INTEGER) return undefined
  }
  return value
}
