import { WireFault, type Trail } from './malformed.ts'

const firstCapacity = 16 * 1024
/** A larger scratch buffer is let go after use. */
const keptCapacity = 1024 * 1024
/** Up to this many characters a loop beats the native call. */
const shortText = 32
const longestString = 0x7fff

const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * Writes Kafka's primitives into a scratch buffer which grows and is used again. `take` copies
 * what was written into one exact buffer and lays the record slices, which are never copied,
 * between its parts.
 *
 * @throws WireFault for a value that the type cannot hold
 */
export class Writer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(firstCapacity)
  position = 0
  /** Where the interpreter is; the compiled encoder leaves it empty. */
  readonly trail: Trail = []
  /** `#slices[i]` belongs before the byte at `#cuts[i]`. */
  readonly #cuts: number[] = []
  readonly #slices: Buffer[] = []
  #sliceBytes = 0

  start(): void {
    this.position = 0
    this.trail.length = 0
    this.#cuts.length = 0
    this.#slices.length = 0
    this.#sliceBytes = 0
    if (this.#bytes.length > keptCapacity) this.#bytes = Buffer.allocUnsafeSlow(firstCapacity)
  }

  fail(reason: string): never {
    throw new WireFault(reason, this.position)
  }

  /** Bytes written so far, slices included. */
  get size(): number {
    return this.position + this.#sliceBytes
  }

  #room(wanted: number): Buffer {
    const bytes = this.#bytes
    if (this.position + wanted <= bytes.length) return bytes
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, this.position + wanted))
    bytes.copy(grown, 0, 0, this.position)
    this.#bytes = grown
    return grown
  }

  #misfit(value: unknown, type: string): never {
    const shown = typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value
    return this.fail(`${shown} is no ${type}`)
  }

  i8(value: number): void {
    if ((value << 24) >> 24 !== value) this.#misfit(value, 'int8')
    const bytes = this.#room(1)
    bytes[this.position++] = value
  }

  i16(value: number): void {
    if ((value << 16) >> 16 !== value) this.#misfit(value, 'int16')
    const bytes = this.#room(2)
    const at = this.position
    bytes[at] = value >> 8
    bytes[at + 1] = value
    this.position = at + 2
  }

  u16(value: number): void {
    if ((value & 0xffff) !== value) this.#misfit(value, 'uint16')
    this.i16((value << 16) >> 16)
  }

  i32(value: number): void {
    if ((value | 0) !== value) this.#misfit(value, 'int32')
    const bytes = this.#room(4)
    this.#put32(bytes, this.position, value)
    this.position += 4
  }

  /** From 2^63 up and -2^63 down the nearest int64 is written. */
  i64(value: number): void {
    if (!Number.isInteger(value)) this.#misfit(value, 'int64')
    const bytes = this.#room(8)
    const at = this.position
    if (value >= 2 ** 63) {
      this.#put32(bytes, at, 0x7fffffff)
      this.#put32(bytes, at + 4, -1)
    } else if (value <= -(2 ** 63)) {
      this.#put32(bytes, at, -0x80000000)
      this.#put32(bytes, at + 4, 0)
    } else {
      const high = Math.floor(value / 4294967296)
      this.#put32(bytes, at, high)
      this.#put32(bytes, at + 4, value - high * 4294967296)
    }
    this.position = at + 8
  }

  #put32(bytes: Buffer, at: number, value: number): void {
    bytes[at] = value >>> 24
    bytes[at + 1] = value >>> 16
    bytes[at + 2] = value >>> 8
    bytes[at + 3] = value
  }

  /** Sets an int32 that was written before, such as the size of the frame. */
  patch32(at: number, value: number): void {
    this.#put32(this.#bytes, at, value)
  }

  bool(value: boolean): void {
    if (typeof value !== 'boolean') this.#misfit(value, 'boolean')
    const bytes = this.#room(1)
    bytes[this.position++] = value ? 1 : 0
  }

  uvarint(value: number): void {
    const bytes = this.#room(5)
    let at = this.position
    let rest = value
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.position = at
  }

  uuid(value: string): void {
    const bytes = this.#room(18)
    const at = this.position
    if (value === zeroUuid) bytes.fill(0, at, at + 16)
    else if (typeof value !== 'string' || value.length !== 22) this.#misfit(value, 'uuid')
    else if (bytes.write(value, at, 18, 'base64url') !== 16) {
      this.fail('a string of 22 characters is no uuid')
    }
    this.position = at + 16
  }

  string16(value: string | null, mayBeNull: boolean): void {
    if (value === null && mayBeNull) return this.i16(-1)
    if (typeof value !== 'string') this.#misfit(value, 'string')
    if (value.length <= shortText && this.#ascii(value, 2)) {
      const bytes = this.#bytes
      bytes[this.position] = 0
      bytes[this.position + 1] = value.length
      this.position += 2 + value.length
      return
    }
    const size = this.#byteLength(value)
    this.i16(size)
    this.#text(value, size)
  }

  compactString(value: string | null, mayBeNull: boolean): void {
    if (value === null && mayBeNull) return this.uvarint(0)
    if (typeof value !== 'string') this.#misfit(value, 'string')
    if (value.length <= shortText && this.#ascii(value, 1)) {
      this.#bytes[this.position] = value.length + 1
      this.position += 1 + value.length
      return
    }
    const size = this.#byteLength(value)
    this.uvarint(size + 1)
    this.#text(value, size)
  }

  /** Writes the characters `skip` bytes ahead without moving; false when one is not ASCII. */
  #ascii(value: string, skip: number): boolean {
    const bytes = this.#room(skip + value.length)
    const at = this.position + skip
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index)
      if (unit > 0x7f) return false
      bytes[at + index] = unit
    }
    return true
  }

  #byteLength(value: string): number {
    const size = Buffer.byteLength(value)
    if (size > longestString) this.fail(`a string of ${size} bytes, at most ${longestString} fit`)
    return size
  }

  #text(value: string, size: number): void {
    const bytes = this.#room(size)
    bytes.write(value, this.position, size, 'utf8')
    this.position += size
  }

  bytes32(value: Buffer | null, mayBeNull: boolean): void {
    if (value === null && mayBeNull) return this.i32(-1)
    if (!(value instanceof Uint8Array)) this.#misfit(value, 'bytes')
    this.i32(value.length)
    this.#copy(value)
  }

  compactBytes(value: Buffer | null, mayBeNull: boolean): void {
    if (value === null && mayBeNull) return this.uvarint(0)
    if (!(value instanceof Uint8Array)) this.#misfit(value, 'bytes')
    this.uvarint(value.length + 1)
    this.#copy(value)
  }

  #copy(value: Buffer): void {
    const bytes = this.#room(value.length)
    bytes.set(value, this.position)
    this.position += value.length
  }

  records32(value: Buffer | readonly Buffer[] | null, mayBeNull: boolean): void {
    if (value === null && mayBeNull) return this.i32(-1)
    this.i32(this.#recordBytes(value))
    this.#lay(value)
  }

  compactRecords(value: Buffer | readonly Buffer[] | null, mayBeNull: boolean): void {
    if (value === null && mayBeNull) return this.uvarint(0)
    this.uvarint(this.#recordBytes(value) + 1)
    this.#lay(value)
  }

  #recordBytes(value: Buffer | readonly Buffer[] | null): number {
    if (value instanceof Uint8Array) return value.length
    if (!Array.isArray(value)) this.#misfit(value, 'records')
    let size = 0
    for (const slice of value as readonly Buffer[]) size += slice.length
    return size
  }

  #lay(value: Buffer | readonly Buffer[] | null): void {
    if (value === null) return
    if (value instanceof Uint8Array) return this.#layOne(value)
    for (const slice of value) this.#layOne(slice)
  }

  #layOne(slice: Buffer): void {
    if (slice.length === 0) return
    this.#cuts.push(this.position)
    this.#slices.push(slice)
    this.#sliceBytes += slice.length
  }

  /** Writes the number of elements; -1 when the list is null and may be. */
  count32(list: readonly unknown[] | null, mayBeNull: boolean): number {
    if (list === null && mayBeNull) {
      this.i32(-1)
      return -1
    }
    if (!Array.isArray(list)) this.#misfit(list, 'list')
    this.i32(list.length)
    return list.length
  }

  compactCount(list: readonly unknown[] | null, mayBeNull: boolean): number {
    if (list === null && mayBeNull) {
      this.uvarint(0)
      return -1
    }
    if (!Array.isArray(list)) this.#misfit(list, 'list')
    this.uvarint(list.length + 1)
    return list.length
  }

  /** Writes the byte before a nullable struct; false when null was written. */
  isPresent(value: unknown, mayBeNull: boolean): boolean {
    if (mayBeNull) this.i8(value === null ? -1 : 1)
    if (value === null && mayBeNull) return false
    if (typeof value !== 'object' || value === null) this.#misfit(value, 'object')
    return true
  }

  /** Starts the value of a tagged field; `endTag` takes what this returns. */
  beginTag(tag: number): number {
    this.uvarint(tag)
    this.#room(5)
    this.position += 1
    return this.position
  }

  /** Sets the size in front of the value, which moves when the size takes more than a byte. */
  endTag(start: number): void {
    const size = this.position - start
    if (size > 0x7f) {
      const prefix = size < 0x4000 ? 2 : size < 0x200000 ? 3 : 4
      const bytes = this.#room(prefix)
      bytes.copyWithin(start - 1 + prefix, start, start + size)
    }
    this.position = start - 1
    this.uvarint(size)
    this.position += size
  }

  /** What was written since `start`, in the order of the wire. */
  take(): Buffer[] {
    const whole = Buffer.allocUnsafe(this.position)
    this.#bytes.copy(whole, 0, 0, this.position)
    if (this.#cuts.length === 0) return [whole]
    const parts: Buffer[] = []
    let from = 0
    for (let index = 0; index < this.#cuts.length; index++) {
      const cut = this.#cuts[index]!
      if (cut > from) parts.push(whole.subarray(from, cut))
      parts.push(this.#slices[index]!)
      from = cut
    }
    if (from < whole.length) parts.push(whole.subarray(from))
    this.#slices.length = 0
    return parts
  }
}

/** One for all messages: encoding never waits and never nests. */
export const scratchWriter = new Writer()
