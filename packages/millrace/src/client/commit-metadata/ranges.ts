/**
 * Finished offsets above a position, as text that goes into a commit's metadata: base64url of
 *
 *     kind 'r'   base, then for each run: offsets since the last end, offsets in it
 *     kind 'b'   base, then one bit an offset from the base on, the lowest bit first
 *
 * Numbers are varints, seven bits a byte, the lowest first. Of the two kinds the shorter one is written. The base is the
 * committed offset: where the two differ, somebody else has moved the offset, and the ranges mean nothing.
 */

/** Ends exclusive: `[from, end, from, end...]`, ascending, all above the base. */
export type Runs = readonly number[]

const none: Runs = []

/** At most `maxLength` characters; what does not fit is left out from the far end, and its messages come again. */
export function encodeRuns(base: number, runs: Runs, maxLength: number): string {
  const maxBytes = Math.floor(((maxLength - 1) * 3) / 4)
  if (runs.length === 0 || maxBytes < 2) return ''
  const asRuns = runBytes(base, runs)
  const span = (runs.at(-1) as number) - base
  const isBitmap = span / 8 + 8 < asRuns.length
  const bytes = isBitmap ? bitmapBytes(base, runs, span, maxBytes) : wholeRuns(asRuns, maxBytes)
  // There may be room for no more than the base.
  if (bytes.length > maxBytes) return ''
  return (isBitmap ? 'b' : 'r') + Buffer.from(bytes).toString('base64url')
}

/** The runs above the base; none when the text is not one of ours, is damaged, or was written for another base. */
export function decodeRuns(base: number, text: string): Runs {
  const bytes = Buffer.from(text.slice(1), 'base64url')
  const reader = { bytes, at: 0 }
  if (bytes.length === 0 || readVarint(reader) !== base) return none
  if (text.startsWith('b')) return bitmapRuns(base, bytes.subarray(reader.at))
  if (!text.startsWith('r')) return none
  const runs: number[] = []
  let end = base
  while (reader.at < bytes.length) {
    const gap = readVarint(reader)
    const length = readVarint(reader)
    // The message at the base is never finished: it is what holds the base back.
    if (gap === undefined || length === undefined || gap === 0 || length === 0) return none
    const from = end + gap
    end = from + length
    if (!Number.isSafeInteger(end)) return none
    runs.push(from, end)
  }
  return runs
}

function runBytes(base: number, runs: Runs): number[] {
  const bytes: number[] = []
  pushVarint(bytes, base)
  let end = base
  for (let index = 0; index < runs.length; index += 2) {
    const from = runs[index] as number
    pushVarint(bytes, from - end)
    end = runs[index + 1] as number
    pushVarint(bytes, end - from)
  }
  return bytes
}

/** Cut behind a whole run: after the base, varints come in pairs. */
function wholeRuns(bytes: readonly number[], maxBytes: number): readonly number[] {
  if (bytes.length <= maxBytes) return bytes
  let whole = 0
  let varints = 0
  for (let at = 0; at < maxBytes; at++) {
    if ((bytes[at] as number) >= 0x80) continue
    varints++
    if (varints % 2 === 1) whole = at + 1
  }
  return bytes.slice(0, whole)
}

function bitmapBytes(base: number, runs: Runs, span: number, maxBytes: number): number[] {
  const bytes: number[] = []
  pushVarint(bytes, base)
  const start = bytes.length
  const size = Math.max(0, Math.min(Math.ceil(span / 8), maxBytes - start))
  for (let index = 0; index < size; index++) bytes.push(0)
  for (let index = 0; index < runs.length; index += 2) {
    const last = Math.min((runs[index + 1] as number) - base, size * 8)
    for (let bit = (runs[index] as number) - base; bit < last; bit++)
      bytes[start + (bit >> 3)] = (bytes[start + (bit >> 3)] as number) | (1 << (bit & 7))
  }
  return bytes
}

function bitmapRuns(base: number, bits: Buffer): Runs {
  if (((bits[0] ?? 0) & 1) !== 0) return none
  const runs: number[] = []
  let isRun = false
  for (let bit = 0; bit < bits.length * 8; bit++) {
    const isSet = ((bits[bit >> 3] as number) & (1 << (bit & 7))) !== 0
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
    const byte = reader.bytes[reader.at++] as number
    number += (byte & 0x7f) * factor
    if (byte < 0x80) return Number.isSafeInteger(number) ? number : undefined
  }
  return undefined
}
