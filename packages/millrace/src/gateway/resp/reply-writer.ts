import { MapReply, nothing, nullArray, ReplyError, Simple, type Reply } from '../reply.ts'

const firstBytes = 16 * 1024
/** A bulk of this size goes out as it is; smaller ones are copied beside their headers. */
const largeBulk = 8 * 1024

const plus = 0x2b
const minus = 0x2d
const colon = 0x3a
const dollar = 0x24
const star = 0x2a
const percent = 0x25
const greater = 0x3e
const cr = 0x0d
const lf = 0x0a

/**
 * Encodes replies as RESP2 or RESP3, one after the other, into as few buffers as may be.
 *
 * Neither CR nor LF ever leaves inside an error or a simple string: control characters are written as Redis writes them
 * in quotes (`\n`, `\x00`), so that no argument that is repeated in an error makes a second reply.
 */
export class ReplyWriter {
  #block = Buffer.allocUnsafeSlow(firstBytes)
  #start = 0
  #at = 0
  #parts: Buffer[] = []
  #partBytes = 0

  /** What was written since the last call. */
  take(): readonly Buffer[] {
    this.#cut()
    const parts = this.#parts
    if (parts.length === 0) return parts
    this.#parts = []
    this.#partBytes = 0
    return parts
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#partBytes + this.#at - this.#start
  }

  write(reply: Reply, protocol: 2 | 3): void {
    if (typeof reply === 'number') {
      this.#room(24)
      this.#block[this.#at++] = colon
      this.#decimal(reply)
    } else if (typeof reply === 'string') {
      this.#bulkText(reply)
    } else if (reply === null) {
      this.#ascii(protocol === 3 ? '_\r\n' : '$-1\r\n')
    } else if (reply === nullArray) {
      this.#ascii(protocol === 3 ? '_\r\n' : '*-1\r\n')
    } else if (reply === nothing) {
      return
    } else if (Buffer.isBuffer(reply)) {
      this.#bulk(reply)
    } else if (reply instanceof Simple) {
      this.#line(plus, reply.text)
    } else if (reply instanceof ReplyError) {
      this.#line(minus, reply.message)
    } else if (reply instanceof MapReply) {
      const { entries } = reply
      this.#header(
        protocol === 3 ? percent : star,
        protocol === 3 ? entries.length : entries.length * 2,
      )
      for (const [key, value] of entries) {
        this.write(key, protocol)
        this.write(value, protocol)
      }
    } else {
      this.#header(star, reply.length)
      for (const item of reply) this.write(item, protocol)
    }
  }

  /** A push of RESP3; in RESP2 an array. */
  push(items: readonly Reply[], protocol: 2 | 3): void {
    this.#header(protocol === 3 ? greater : star, items.length)
    for (const item of items) this.write(item, protocol)
  }

  #header(type: number, count: number): void {
    this.#room(24)
    this.#block[this.#at++] = type
    this.#decimal(count)
  }

  #bulk(bytes: Buffer): void {
    const { length } = bytes
    this.#header(dollar, length)
    if (length >= largeBulk) {
      this.#cut()
      this.#parts.push(bytes)
      this.#partBytes += length
    } else {
      this.#room(length)
      bytes.copy(this.#block, this.#at)
      this.#at += length
    }
    this.#room(2)
    this.#block[this.#at++] = cr
    this.#block[this.#at++] = lf
  }

  #bulkText(text: string): void {
    if (text.length * 3 >= largeBulk) {
      this.#bulk(Buffer.from(text))
      return
    }
    this.#header(dollar, Buffer.byteLength(text))
    this.#room(text.length * 3 + 2)
    this.#at += this.#block.write(text, this.#at)
    this.#block[this.#at++] = cr
    this.#block[this.#at++] = lf
  }

  #line(type: number, text: string): void {
    const safe = escapeLine(text)
    this.#room(safe.length * 3 + 3)
    this.#block[this.#at++] = type
    this.#at += this.#block.write(safe, this.#at)
    this.#block[this.#at++] = cr
    this.#block[this.#at++] = lf
  }

  #ascii(text: string): void {
    this.#room(text.length)
    this.#at += this.#block.write(text, this.#at, 'latin1')
  }

  /** The number and a line end. */
  #decimal(value: number): void {
    const block = this.#block
    if (value >= 0 && value < 10) {
      block[this.#at++] = 0x30 + value
    } else {
      this.#at += block.write(String(value), this.#at, 'latin1')
    }
    block[this.#at++] = cr
    block[this.#at++] = lf
  }

  #room(bytes: number): void {
    if (this.#block.length - this.#at >= bytes) return
    this.#cut()
    // What was cut is under way to a socket, so the rest of a block is used up and never written twice.
    this.#block = Buffer.allocUnsafeSlow(Math.max(firstBytes, bytes))
    this.#start = 0
    this.#at = 0
  }

  #cut(): void {
    if (this.#at === this.#start) return
    this.#parts.push(this.#block.subarray(this.#start, this.#at))
    this.#partBytes += this.#at - this.#start
    this.#start = this.#at
  }
}

// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const unsafe = /[\u0000-\u001f\u007f]/
// oxlint-disable-next-line no-control-regex
const allUnsafe = /[\u0000-\u001f\u007f]/g

const named: Readonly<Record<string, string>> = {
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
}

/** Text that is safe in a line of the protocol. */
export function escapeLine(text: string): string {
  if (!unsafe.test(text)) return text
  return text.replaceAll(
    allUnsafe,
    (one) => named[one] ?? `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

/** An argument as MONITOR and Redis's errors show it: `"a\x00b"`. Bytes that are not printable ASCII are escaped. */
export function quoteArgument(bytes: Buffer | null, most = 1024): string {
  if (bytes === null) return '(nil)'
  let text = '"'
  const shown = Math.min(bytes.length, most)
  for (let at = 0; at < shown; at++) {
    const byte = bytes[at]!
    const one = String.fromCharCode(byte)
    if (one === '"' || one === '\\') text += `\\${one}`
    else if (byte >= 0x20 && byte < 0x7f) text += one
    else text += named[one] ?? `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return `${text}${shown < bytes.length ? '...' : ''}"`
}
