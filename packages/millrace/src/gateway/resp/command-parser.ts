import { ReplyError } from '../reply.ts'
import type { Command } from '../command.ts'

/** What one command may take. */
const mostArguments = 65_536
const mostBulkBytes = 32_768_000
/** Of all arguments: a value of the largest size has room beside it for its key. */
const mostCommandBytes = mostBulkBytes + 1024 * 1024
const mostInlineBytes = 1024
/** `*65536` and `$32768000` are far below. */
const mostHeaderBytes = 64

const star = 0x2a
const dollar = 0x24
const minus = 0x2d
const lf = 0x0a
const cr = 0x0d
const zero = 0x30
const nine = 0x39

/** Bytes that are no command: the text is answered, then the connection closes. */
export class ProtocolError extends ReplyError {
  constructor(text: string) {
    super(text, { closes: true })
  }
}

/** No line end yet. */
const unfinished = -1

/**
 * Cuts a byte stream into commands: RESP arrays of bulks, or lines (`PING x`).
 *
 * - An argument that lies whole in what was pushed is a view of it. What is gathered from several pushes lies in memory
 *   that only grows with the bytes that came, and that is never written again where a command was cut from it.
 * - What follows a ProtocolError is not to be read.
 */
export class CommandParser {
  #bytes: Buffer = Buffer.alloc(0)
  /** Where `#bytes` is read next, and where it ends. */
  #at = 0
  #end = 0
  /** `#bytes` is ours, so that more may be appended behind `#end`. */
  #isOwn = false
  /** Arguments of the command at hand that are still to come; -1: between commands. */
  #missing = -1
  #args: (Buffer | null)[] = []
  #argBytes = 0
  /** Length of the bulk at hand; -1: its header is to come. */
  #bulk = -1

  /** Bytes that are not cut yet. */
  get buffered(): number {
    return this.#end - this.#at
  }

  /** A command has begun and is not whole. */
  get isInside(): boolean {
    return this.#missing >= 0 || this.#at < this.#end
  }

  push(chunk: Buffer): void {
    const left = this.#end - this.#at
    if (left === 0) {
      this.#bytes = chunk
      this.#at = 0
      this.#end = chunk.length
      this.#isOwn = false
      return
    }
    const needed = left + chunk.length
    if (!this.#isOwn || this.#bytes.length - this.#end < chunk.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, needed * 2))
      this.#bytes.copy(larger, 0, this.#at, this.#end)
      this.#bytes = larger
      this.#isOwn = true
      this.#at = 0
      this.#end = left
    }
    chunk.copy(this.#bytes, this.#end)
    this.#end += chunk.length
  }

  /** The next whole command. @throws ProtocolError */
  next(): Command | undefined {
    if (this.#missing < 0) {
      if (this.#at === this.#end) return undefined
      if (this.#bytes[this.#at] !== star) return this.#inline()
      const count = this.#header()
      if (count === undefined) return undefined
      if (count < 0) throw new ProtocolError('Expect Number')
      if (count > mostArguments) throw new ProtocolError('TooManyArg')
      this.#missing = count
    }
    while (this.#missing > 0) {
      if (this.#bulk < 0) {
        if (this.#at === this.#end) return undefined
        if (this.#bytes[this.#at] !== dollar) throw new ProtocolError('Expect TypeChar')
        const length = this.#header()
        if (length === undefined) return undefined
        if (length < -1 || length > mostBulkBytes) throw new ProtocolError('Invalid bulk size')
        if (length === -1) {
          this.#args.push(null)
          this.#missing--
          continue
        }
        this.#argBytes += length
        if (this.#argBytes > mostCommandBytes) throw new ProtocolError('TooManyArg')
        this.#bulk = length
      }
      if (!this.#takeBulk()) return undefined
    }
    const [spelled = null, ...args] = this.#takeArgs()
    return { name: nameOf(spelled), spelled, args }
  }

  /** The bulk at hand with its line end. False: not all of it is there. */
  #takeBulk(): boolean {
    const start = this.#at
    const end = start + this.#bulk
    if (this.#end <= end) return false
    const first = this.#bytes[end]
    if (first !== cr) throw new ProtocolError('Expect Newline')
    if (this.#end === end + 1) return false
    if (this.#bytes[end + 1] !== lf) throw new ProtocolError('Expect Newline')
    this.#args.push(this.#bytes.subarray(start, end))
    this.#at = end + 2
    this.#bulk = -1
    this.#missing--
    return true
  }

  #takeArgs(): (Buffer | null)[] {
    const args = this.#args
    this.#args = []
    this.#argBytes = 0
    this.#missing = -1
    return args
  }

  /** The number of a `*` or `$` line. */
  #header(): number | undefined {
    const start = this.#at + 1
    const end = this.#lineEnd(mostHeaderBytes)
    if (end === unfinished) return undefined
    const bytes = this.#bytes
    const stop = bytes[end - 1] === cr && end > start ? end - 1 : end
    let at = start
    const isNegative = bytes[at] === minus
    if (isNegative) at++
    if (at === stop) throw new ProtocolError('Expect Number')
    let value = 0
    for (; at < stop; at++) {
      const digit = bytes[at]!
      if (digit < zero || digit > nine) throw new ProtocolError('Expect Number')
      value = value * 10 + digit - zero
    }
    this.#at = end + 1
    return isNegative ? -value : value
  }

  /** A line split on single spaces. */
  #inline(): Command | undefined {
    const start = this.#at
    const end = this.#lineEnd(mostInlineBytes)
    if (end === unfinished) return undefined
    const stop = this.#bytes[end - 1] === cr && end > start ? end - 1 : end
    const words: Buffer[] = []
    let from = start
    for (let at = start; at <= stop; at++) {
      if (at < stop && this.#bytes[at] !== 0x20) continue
      words.push(this.#bytes.subarray(from, at))
      from = at + 1
    }
    this.#at = end + 1
    const [spelled = null, ...args] = words
    return { name: nameOf(spelled), spelled, args }
  }

  /** Position of the line feed. */
  #lineEnd(most: number): number {
    const found = this.#bytes.indexOf(lf, this.#at)
    const isThere = found >= 0 && found < this.#end
    const length = (isThere ? found : this.#end) - this.#at
    if (length > most + 1) throw new ProtocolError('LineTooLong')
    return isThere ? found : unfinished
  }
}

function nameOf(bytes: Buffer | null): string {
  return bytes ? bytes.toString('latin1').toUpperCase() : ''
}
