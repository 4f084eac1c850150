/**
 * What is acknowledged above a committed offset, in the commit's metadata: whoever holds the partition next does not
 * hand it out again. The same text as a Millrace worker writes and reads, so a partition may move between the two:
 *
 *     <text of the user>|millrace:<kind><base64url>
 *     kind 'r'   base, then for each run: offsets since the last end, offsets in it
 *     kind 'b'   base, then one bit an offset from the base on, the lowest bit first
 *
 * Numbers are varints, seven bits a byte, the lowest first. The base is the committed offset: where the two differ,
 * somebody else has moved the offset, and the runs mean nothing.
 */

/** Ends exclusive: `[from, end, from, end...]`, ascending, all above the base. */
export type Runs = readonly number[]

export interface CommittedText {
  /** What others wrote; it is kept. */
  readonly user: string
  readonly runs: Runs
}

const mark = '|millrace:'
/** Kafka's default offset.metadata.max.bytes, 4,096, leaves this for bytes in base64. */
const mostBytes = 2900
const longestText = 4096

export function readCommittedText(base: number, metadata: string): CommittedText {
  const at = metadata.lastIndexOf(mark)
  if (at < 0) return { user: metadata, runs: [] }
  return { user: metadata.slice(0, at), runs: decodeRuns(base, metadata.slice(at + mark.length)) }
}

/** What does not fit is left out from the far end: its entries come again. */
export function writeCommittedText(base: number, { user, runs }: CommittedText): string {
  const room = longestText - Buffer.byteLength(user) - mark.length - 1
  const text = encodeRuns(base, runs, Math.min(mostBytes, Math.floor((room * 3) / 4)))
  // A text of somebody else's that looks like ours is closed by an empty one of ours.
  return text === '' && !user.includes(mark) ? user : `${user}${mark}${text}`
}

function encodeRuns(base: number, runs: Runs, room: number): string {
  if (runs.length === 0 || room < 16) return ''
  const asRuns = runBytes(base, runs, room)
  const span = runs.at(-1)! - base
  const isBitmap = !asRuns.isWhole || span / 8 + 8 < asRuns.bytes.length
  if (!isBitmap || span / 8 > room * 8) return `r${Buffer.from(asRuns.bytes).toString('base64url')}`
  return `b${Buffer.from(bitmapBytes(base, runs, span, room)).toString('base64url')}`
}

function runBytes(
  base: number,
  runs: Runs,
  room: number,
): { readonly bytes: readonly number[]; readonly isWhole: boolean } {
  const bytes: number[] = []
  pushVarint(bytes, base)
  let end = base
  for (let index = 0; index < runs.length; index += 2) {
    const before = bytes.length
    pushVarint(bytes, runs[index]! - end)
    end = runs[index + 1]!
    pushVarint(bytes, end - runs[index]!)
    if (bytes.length > room) return { bytes: bytes.slice(0, before), isWhole: false }
  }
  return { bytes, isWhole: true }
}

function bitmapBytes(base: number, runs: Runs, span: number, room: number): Uint8Array {
  const head: number[] = []
  pushVarint(head, base)
  const bits = new Uint8Array(Math.max(0, Math.min(Math.ceil(span / 8), room - head.length)))
  for (let index = 0; index < runs.length; index += 2) {
    const last = Math.min(runs[index + 1]! - base, bits.length * 8)
    for (let bit = runs[index]! - base; bit < last; bit++)
      bits[bit >> 3] = bits[bit >> 3]! | (1 << (bit & 7))
  }
  return Buffer.concat([Buffer.from(head), bits])
}

/** None when the text is not one of ours, is damaged, or was written for another base. */
function decodeRuns(base: number, text: string): Runs {
  const bytes = Buffer.from(text.slice(1), 'base64url')
  const reader = { bytes, at: 0 }
  if (bytes.length === 0 || readVarint(reader) !== base) return []
  if (text.startsWith('b')) return bitmapRuns(base, bytes.subarray(reader.at))
  if (!text.startsWith('r')) return []
  const runs: number[] = []
  let end = base
  while (reader.at < bytes.length) {
    const gap = readVarint(reader)
    const length = readVarint(reader)
    // The entry at the base is never acknowledged: it is what holds the base back.
    if (gap === undefined || length === undefined || gap === 0 || length === 0) return []
    const from = end + gap
    end = from + length
    if (!Number.isSafeInteger(end)) return []
    runs.push(from, end)
  }
  return runs
}

function bitmapRuns(base: number, bits: Buffer): Runs {
  if (((bits[0] ?? 0) & 1) !== 0) return []
  const runs: number[] = []
  let isRun = false
  for (let bit = 0; bit < bits.length * 8; bit++) {
    const isSet = (bits[bit >> 3]! & (1 << (bit & 7))) !== 0
    if (isSet && isRun) runs[runs.length - 1] = base + bit + 1
    else if (isSet) runs.push(base + bit, base + bit + 1)
    isRun = isSet
  }
  return runs
}

function pushVarint(bytes: number[], number: number): void {
  let rest = number
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
}

/** Undefined when the bytes end within it, or no safe integer is as large. */
function readVarint(reader: { readonly bytes: Buffer; at: number }): number | undefined {
  let number = 0
  for (let factor = 1; reader.at < reader.bytes.length && factor <= 2 ** 49; factor *= 0x80) {
    const byte = reader.bytes[reader.at++]!
    number += (byte & 0x7f) * factor
    if (byte < 0x80) return Number.isSafeInteger(number) ? number : undefined
  }
  return undefined
}
