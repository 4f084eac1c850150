import { WireFault, type Trail } from './malformed.ts'

/** Up to this many bytes a character loop beats the native call. */
const shortText = 16

const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * Reads Kafka's primitives from a frame. No length is believed before it is compared with the
 * bytes that remain. Bytes come out as views of the frame, strings as strings.
 *
 * Methods ending in 16 or 32 read the old form (length of 2 or 4 bytes, -1 for null), `compact`
 * ones the flexible form (KIP-482: unsigned varint of length + 1, 0 for null).
 *
 * @throws WireFault
 */
export class Reader {
  readonly bytes: Buffer
  position: number
  /** Where the interpreter is; the compiled decoder leaves it empty. */
  readonly trail: Trail = []

  constructor(bytes: Buffer, position = 0) {
    this.bytes = bytes
    this.position = position
  }

  fail(reason: string, position = this.position): never {
    throw new WireFault(reason, position)
  }

  #cut(wanted: number): never {
    const left = Math.max(0, this.bytes.length - this.position)
    return this.fail(`${wanted} bytes wanted, ${left} left`)
  }

  i8(): number {
    const at = this.position
    if (at + 1 > this.bytes.length) this.#cut(1)
    this.position = at + 1
    return (this.bytes[at]! << 24) >> 24
  }

  i16(): number {
    const at = this.position
    const bytes = this.bytes
    if (at + 2 > bytes.length) this.#cut(2)
    this.position = at + 2
    return (((bytes[at]! << 8) | bytes[at + 1]!) << 16) >> 16
  }

  u16(): number {
    return this.i16() & 0xffff
  }

  i32(): number {
    const at = this.position
    const bytes = this.bytes
    if (at + 4 > bytes.length) this.#cut(4)
    this.position = at + 4
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }

  /** Exact within 2^53; beyond, the nearest double (2^63-1 is read as 2^63). */
  i64(): number {
    const at = this.position
    const bytes = this.bytes
    if (at + 8 > bytes.length) this.#cut(8)
    this.position = at + 8
    const high =
      (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    const low =
      (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!
    return high * 4294967296 + (low >>> 0)
  }

  bool(): boolean {
    return this.i8() !== 0
  }

  /** Unsigned, at most 5 bytes and 32 bits. */
  uvarint(): number {
    const bytes = this.bytes
    let at = this.position
    if (at >= bytes.length) this.#cut(1)
    let byte = bytes[at++]!
    if (byte < 0x80) {
      this.position = at
      return byte
    }
    let value = byte & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      if (at >= bytes.length) this.fail('the frame ends inside a varint', at)
      byte = bytes[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffffffff) this.fail('a varint of more than 32 bits')
        this.position = at
        return value
      }
    }
    return this.fail('a varint of more than 5 bytes')
  }

  uuid(): string {
    const at = this.position
    const bytes = this.bytes
    if (at + 16 > bytes.length) this.#cut(16)
    this.position = at + 16
    for (let index = at; index < at + 16; index++) {
      if (bytes[index] !== 0) return bytes.toString('base64url', at, at + 16)
    }
    return zeroUuid
  }

  string16(mayBeNull: false): string
  string16(mayBeNull: boolean): string | null
  string16(mayBeNull: boolean): string | null {
    const start = this.position
    const length = this.i16()
    if (length >= 0) return this.#text(length)
    return this.#absent(length + 1, mayBeNull, start)
  }

  compactString(mayBeNull: false): string
  compactString(mayBeNull: boolean): string | null
  compactString(mayBeNull: boolean): string | null {
    const start = this.position
    const length = this.uvarint()
    if (length === 0) return this.#absent(0, mayBeNull, start)
    // Kafka holds strings to the old form's limit in both forms.
    if (length > 0x8000) this.fail(`a string of ${length - 1} bytes`, start)
    return this.#text(length - 1)
  }

  #text(length: number): string {
    const at = this.position
    const bytes = this.bytes
    const end = at + length
    if (end > bytes.length) this.#cut(length)
    this.position = end
    if (length > shortText) return bytes.toString('utf8', at, end)
    let text = ''
    for (let index = at; index < end; index++) {
      const byte = bytes[index]!
      if (byte > 0x7f) return bytes.toString('utf8', at, end)
      text += String.fromCharCode(byte)
    }
    return text
  }

  bytes32(mayBeNull: false): Buffer
  bytes32(mayBeNull: boolean): Buffer | null
  bytes32(mayBeNull: boolean): Buffer | null {
    const start = this.position
    const length = this.i32()
    if (length >= 0) return this.#view(length)
    return this.#absent(length + 1, mayBeNull, start)
  }

  compactBytes(mayBeNull: false): Buffer
  compactBytes(mayBeNull: boolean): Buffer | null
  compactBytes(mayBeNull: boolean): Buffer | null {
    const start = this.position
    const length = this.uvarint()
    if (length === 0) return this.#absent(0, mayBeNull, start)
    return this.#view(length - 1)
  }

  #view(length: number): Buffer {
    const at = this.position
    if (at + length > this.bytes.length) this.#cut(length)
    this.position = at + length
    return this.bytes.subarray(at, at + length)
  }

  /** The number of elements, -1 for null. `elementBytes`: the least that one element takes. */
  count32(mayBeNull: boolean, elementBytes: number): number {
    const start = this.position
    const count = this.i32()
    if (count < 0) {
      this.#absent(count + 1, mayBeNull, start)
      return -1
    }
    return this.#fitting(count, elementBytes, start)
  }

  compactCount(mayBeNull: boolean, elementBytes: number): number {
    const start = this.position
    const count = this.uvarint()
    if (count === 0) {
      this.#absent(0, mayBeNull, start)
      return -1
    }
    return this.#fitting(count - 1, elementBytes, start)
  }

  #fitting(count: number, elementBytes: number, start: number): number {
    const left = this.bytes.length - this.position
    if (count * elementBytes > left) {
      this.fail(`a list of ${count}, at least ${elementBytes} bytes each, ${left} left`, start)
    }
    return count
  }

  #absent(overrun: number, mayBeNull: boolean, start: number): null {
    if (overrun !== 0) this.fail(`a length of ${overrun - 1}`, start)
    if (!mayBeNull) this.fail('null where there must be a value', start)
    return null
  }

  /** A nullable struct starts with a byte, negative for null. */
  isPresent(mayBeNull: boolean): boolean {
    const start = this.position
    if (this.i8() >= 0) return true
    if (!mayBeNull) this.fail('null where there must be a value', start)
    return false
  }

  /** Where the value of a tagged field ends. */
  tagEnd(size: number): number {
    if (this.position + size > this.bytes.length) this.#cut(size)
    return this.position + size
  }

  expectAt(end: number): void {
    if (this.position !== end) {
      this.fail(`a tagged field ends at byte ${this.position}, its size says ${end}`)
    }
  }

  /** Passes over a section of tagged fields, none of which is known. */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint()
      this.position = this.tagEnd(this.uvarint())
    }
  }
}
