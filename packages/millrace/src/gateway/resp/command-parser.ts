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
const space = 0x20
const mostNameBytes = 64
const nothingYet = Buffer.alloc(0)

/** Bytes that are no command: the text is answered, then the connection closes. */
export class ProtocolError extends ReplyError {
  constructor(text: string) {
    super(text, { closes: true })
  }
}

/**
 * Cuts a byte stream into commands: RESP arrays of bulks, or lines (`PING x`).
 *
 * - An argument that lies whole in what was pushed is a view of it. What is gathered from several pushes lies in memory
 *   that only grows with the bytes that came, and that is never written again where a command was cut from it.
 * - What follows a ProtocolError is not to be read.
 */
export class CommandParser {
  #bytes: Buffer = nothingYet
  /** Where `#bytes` is read next, and where it ends. */
  #at = 0
  #end = 0
  /** `#bytes` is ours, so that more may be appended behind `#end`. */
  #isOwn = false
  /** Arguments of the command at hand that are still to come; -1: between commands. */
  #missing = -1
  #isNamed = false
  #spelled: Buffer | null = null
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
      if (this.#at === this.#end) {
        // An idle connection keeps nothing of what it once sent.
        this.#bytes = nothingYet
        this.#at = 0
        this.#end = 0
        this.#isOwn = false
        return undefined
      }
      if (this.#bytes[this.#at] !== star) return this.#inline()
      const count = this.#header()
      if (count === undefined) return undefined
      if (count < 0) throw new ProtocolError('Expect Number')
      if (count > mostArguments) throw new ProtocolError('TooManyArg')
      this.#missing = count
      this.#isNamed = count === 0
    }
    while (this.#missing > 0) {
      if (this.#bulk < 0) {
        if (this.#at === this.#end) return undefined
        if (this.#bytes[this.#at] !== dollar) throw new ProtocolError('Expect TypeChar')
        const length = this.#header()
        if (length === undefined) return undefined
        if (length < -1 || length > mostBulkBytes) throw new ProtocolError('Invalid bulk size')
        if (length === -1) {
          this.#take(null)
          continue
        }
        this.#argBytes += length
        if (this.#argBytes > mostCommandBytes) throw new ProtocolError('TooManyArg')
        this.#bulk = length
      }
      const start = this.#at
      const end = start + this.#bulk
      if (this.#end <= end) return undefined
      if (this.#bytes[end] !== cr) throw new ProtocolError('Expect Newline')
      if (this.#end === end + 1) return undefined
      if (this.#bytes[end + 1] !== lf) throw new ProtocolError('Expect Newline')
      this.#at = end + 2
      this.#bulk = -1
      this.#take(this.#bytes.subarray(start, end))
    }
    const spelled = this.#spelled
    const args = this.#args
    this.#spelled = null
    this.#args = []
    this.#argBytes = 0
    this.#missing = -1
    return { name: nameOf(spelled), spelled, args }
  }

  #take(bulk: Buffer | null): void {
    this.#missing--
    if (this.#isNamed) {
      this.#args.push(bulk)
    } else {
      this.#isNamed = true
      this.#spelled = bulk
    }
  }

  /** The number of a `*` or `$` line; undefined: it is not whole. Judged byte by byte, so that no cut changes the verdict. */
  #header(): number | undefined {
    const bytes = this.#bytes
    const first = this.#at + 1
    const last = Math.min(this.#end, first + mostHeaderBytes)
    let isNegative = false
    let digits = 0
    let value = 0
    for (let at = first; at < last; at++) {
      const byte = bytes[at]!
      if (byte >= zero && byte <= nine) {
        value = value * 10 + byte - zero
        digits++
      } else if (byte === minus && at === first) {
        isNegative = true
      } else {
        if (byte === cr && at + 1 === this.#end) return undefined
        const end = byte === cr ? at + 1 : at
        if (digits === 0 || bytes[end] !== lf) throw new ProtocolError('Expect Number')
        this.#at = end + 1
        return isNegative ? -value : value
      }
    }
    if (last - first === mostHeaderBytes) throw new ProtocolError('LineTooLong')
    return undefined
  }

  /** A line split on single spaces. */
  #inline(): Command | undefined {
    const bytes = this.#bytes
    const start = this.#at
    // With the line end, of two bytes at most.
    const last = Math.min(this.#end, start + mostInlineBytes + 2)
    let end = start
    while (end < last && bytes[end] !== lf) end++
    const stop = end > start && bytes[end - 1] === cr ? end - 1 : end
    if (stop - start > mostInlineBytes) throw new ProtocolError('LineTooLong')
    if (end === last) {
      if (end - start > mostInlineBytes + 1) throw new ProtocolError('LineTooLong')
      return undefined
    }
    const words: Buffer[] = []
    let from = start
    for (let at = start; at <= stop; at++) {
      if (at < stop && bytes[at] !== space) continue
      words.push(bytes.subarray(from, at))
      from = at + 1
    }
    this.#at = end + 1
    const spelled = words.shift() ?? null
    return { name: nameOf(spelled), spelled, args: words }
  }
}

/** In upper case. No command has a name of more bytes; what is longer is cut, since names are kept. */
function nameOf(bytes: Buffer | null): string {
  return bytes === null ? '' : bytes.toString('latin1', 0, mostNameBytes).toUpperCase()
}
