/**
 * Cuts a Logplex body into frames, as the bytes arrive.
 *
 * ```
 * frame = LEN SP "<" PRI ">1 " TIME " host " APP " " PROCID " - " MSG     LEN = bytes after the SP
 * ```
 * - LEN is trusted: MSG may hold LF, look like a frame, or end in half a character.
 * - CR, LF and spaces before LEN are skipped: some relays join frames with them.
 * - A last frame that is one byte short is whole: senders drop the final LF.
 * - When no frame starts where one should, the parser looks for the next `LEN SP "<" PRI ">1 "`, counts a
 *   resync, and hands the bytes between over as unreadable. Nothing is dropped.
 * - A frame in the middle that is one byte short has taken a digit of the next LEN: it is given back when only then
 *   the next frame ends where another begins.
 * - A LEN that cannot be true (shorter than the shortest header, longer than a body may be, or past the
 *   end of the body) is set aside: that frame reaches to the next start, or to the end.
 *
 * The result does not depend on how the body was cut into chunks.
 */
export interface FrameSink {
  /** The bytes after LEN and SP. A view: valid as long as the body's chunks are. */
  frame(content: Buffer): void
  unreadable(bytes: Buffer): void
}

/** `<0>1 t h a p -`: nothing shorter can hold a header. */
const shortestContent = 13
const mostDigits = 20

const CR = 13
const LF = 10
const SP = 32
const LESS = 60
const GREATER = 62
const ONE = 49

type State = 'between' | 'open' | 'lost'

export class FrameParser {
  /** How often the parser had to look for the next start. */
  resyncs = 0
  frames = 0
  unreadableBytes = 0

  readonly #sink: FrameSink
  readonly #longestContent: number
  #chunks: Buffer[] = []
  #held = 0
  #needed = 1
  #state: State = 'between'
  /** In `open` and `lost`: where the search goes on, counted from the first held byte. */
  #searched = 0

  /** @param longestContent - a LEN above this is a lie; give the largest body that is accepted */
  constructor(sink: FrameSink, longestContent: number) {
    this.#sink = sink
    this.#longestContent = longestContent
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#held += chunk.length
    if (this.#held >= this.#needed) this.#consume(false)
  }

  /** No more bytes will come. */
  end(): void {
    this.#consume(true)
  }

  #consume(isLast: boolean): void {
    const data = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    let position = 0
    while (position < data.length) {
      const next =
        this.#state === 'between'
          ? this.#readFrame(data, position, isLast)
          : this.#search(data, position, isLast)
      if (next < 0) break
      position = next
    }
    const rest = data.subarray(position)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#held = rest.length
    if (rest.length === 0) this.#needed = 1
  }

  /** The position after what was read, or -1 when more bytes are needed. */
  #readFrame(data: Buffer, from: number, isLast: boolean): number {
    const byte = data[from]
    if (byte === LF || byte === CR || byte === SP) return from + 1

    const start = contentStart(data, from)
    if (start === undecided && !isLast) return this.#wait(data.length - from + 1)
    if (start < 0) {
      this.resyncs++
      this.#state = 'lost'
      this.#searched = 0
      return from
    }
    const length = readNumber(data, from, start - 1)
    const missing = start + length - data.length
    const isPossible = length >= shortestContent && length <= this.#longestContent
    if (isPossible && missing <= 0) {
      const end = start + length
      const isLong = takesDigit(data, end, isLast, this.#longestContent)
      if (isLong > 1) return this.#wait(isLong - from)
      if (isLong === 1) this.resyncs++
      return this.#emit(data, start, end - isLong)
    }
    if (isPossible && isLast && missing === 1) return this.#emit(data, start, data.length)
    if (isPossible && !isLast) return this.#wait(start - from + length)
    this.resyncs++
    this.#state = 'open'
    this.#searched = 1
    return start
  }

  #search(data: Buffer, from: number, isLast: boolean): number {
    const found = findStart(data, from, from + this.#searched, isLast)
    if (found.at < 0 && !isLast) {
      this.#searched = found.resume - from
      return this.#wait(data.length - from + 1)
    }
    const end = found.at < 0 ? data.length : found.at
    if (this.#state === 'open') return this.#emit(data, from, end)
    this.#state = 'between'
    this.unreadableBytes += end - from
    this.#sink.unreadable(data.subarray(from, end))
    return end
  }

  #emit(data: Buffer, start: number, end: number): number {
    this.#state = 'between'
    this.frames++
    this.#sink.frame(data.subarray(start, end))
    return end
  }

  #wait(bytes: number): number {
    this.#needed = bytes
    return -1
  }
}

const undecided = -2

/** Where the content begins if a frame starts at `from`: -1 when none does, `undecided` when bytes are missing. */
function contentStart(data: Buffer, from: number): number {
  let at = from
  while (at < data.length && isDigit(data[at]!) && at - from < mostDigits) at++
  if (at === data.length) return undecided
  if (at === from || data[at] !== SP) return -1
  const start = at + 1
  const afterPri = priorityEnd(data, start)
  if (afterPri < 0) return afterPri
  if (afterPri === data.length) return undecided
  return isDigit(data[afterPri]!) ? start : -1
}

/** The position after `<PRI>`, -1 or `undecided`. */
function priorityEnd(data: Buffer, from: number): number {
  if (from >= data.length) return undecided
  if (data[from] !== LESS) return -1
  let at = from + 1
  while (at < data.length && at - from <= 3 && isDigit(data[at]!)) at++
  if (at === data.length) return undecided
  return at > from + 1 && data[at] === GREATER ? at + 1 : -1
}

/**
 * The next `LEN SP "<" PRI ">1 "` whose `<` is at `search` or later and whose LEN begins after `from`.
 * `resume` is the first byte that has not been decided.
 */
function findStart(
  data: Buffer,
  from: number,
  search: number,
  isLast: boolean,
): { readonly at: number; readonly resume: number } {
  let less = data.indexOf(LESS, search)
  while (less >= 0) {
    const after = priorityEnd(data, less)
    const isCut = after === undecided || (after >= 0 && after + 1 >= data.length)
    if (isCut && !isLast) return { at: -1, resume: less }
    if (!isCut && after >= 0 && data[after] === ONE && data[after + 1] === SP) {
      let at = less - 1
      if (at > from && data[at] === SP) {
        while (at > from && less - 1 - at < mostDigits && isDigit(data[at - 1]!)) at--
        if (at < less - 1) return { at, resume: at }
      }
    }
    less = data.indexOf(LESS, less + 1)
  }
  return { at: -1, resume: data.length }
}

/** A start that is not decided within so many bytes is none. */
const startBytes = mostDigits + 8

/**
 * 1 when the last byte of a frame that ends at `end` belongs to the next LEN, else 0; more: that many bytes must be
 * there before it can be told. A line may well end in a digit, so the frame's own LEN is believed as long as the
 * next one leads somewhere.
 */
function takesDigit(data: Buffer, end: number, isLast: boolean, longest: number): number {
  if (!isDigit(data[end - 1]!)) return 0
  if (!isLast && data.length < end + startBytes) return end + startBytes
  const shifted = contentStart(data, end - 1)
  if (shifted < 0) return 0
  const trusted = contentStart(data, end)
  if (trusted < 0) return 1
  const length = readNumber(data, end, trusted - 1)
  if (length < shortestContent || length > longest) return 1
  const boundary = trusted + length
  if (!isLast && data.length < boundary + startBytes) return boundary + startBytes
  return isBoundary(data, boundary) ? 0 : 1
}

function isBoundary(data: Buffer, at: number): boolean {
  if (at >= data.length) return at <= data.length + 1
  const byte = data[at]
  return byte === LF || byte === CR || byte === SP || contentStart(data, at) >= 0
}

function readNumber(data: Buffer, from: number, end: number): number {
  let value = 0
  for (let at = from; at < end; at++) value = value * 10 + (data[at]! - 48)
  return value
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57
}
