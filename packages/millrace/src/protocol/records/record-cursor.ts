import { failure } from '../../errors/index.ts'
import { decompress } from '../compression/index.ts'
import { isLogAppendTime } from './attributes.ts'
import { batchHeaderSize, batchOverhead } from './batch-header.ts'
import { compressionOf } from './compression-of.ts'
import { readInt64 } from './numbers.ts'
import type { Header, WireRecord } from './record.ts'

export interface DecodeOptions {
  /** Largest body a compressed batch may unfold to. Default 128 MiB. */
  readonly maxInflatedBytes?: number
  /** Gives each record's own time even where the batch carries its append time. Default false. */
  readonly ignoresAppendTime?: boolean
}

const defaultMaxInflatedBytes = 128 * 1024 * 1024
const noHeaders: readonly Header[] = Object.freeze([])

/** In place of a length: null. */
const absent = -1

/**
 * Walks the records of one batch without making objects: `advance` parses a record, the accessors cut out what
 * is asked for. `next` does both. The body is inflated at the first step, never before.
 *
 * Every step throws a CodecError when the bytes are not what the header says; the checksum is not looked at
 * (`hasValidCrc` does that). Agrees with Kafka's reader on what is broken: a record must fill its length exactly,
 * the count must fill the body exactly.
 */
export class RecordCursor {
  readonly #batch: Buffer
  readonly #baseOffset: number
  readonly #baseTimestamp: number
  /** NaN unless the batch carries its append time. */
  readonly #appendTimestamp: number
  readonly #maxInflatedBytes: number
  readonly #count: number

  #body: Buffer
  #isInflated = false
  #position = 0
  #read = 0

  #offset = 0
  #timestamp = 0
  #keyStart = 0
  #keyLength = absent
  #valueStart = 0
  #valueLength = absent
  #headersCount = 0
  #headersStart = 0

  constructor(batch: Buffer, options: DecodeOptions = {}) {
    if (batch.length < batchHeaderSize) {
      throw failure('MR_PROTOCOL_BATCH_MALFORMED', {
        what: `it has ${batch.length} bytes, its header alone takes ${batchHeaderSize}`,
        offset: 0,
      })
    }
    const size = batch.readInt32BE(8) + batchOverhead
    const magic = batch[16] as number
    if (magic !== 2) {
      throw failure('MR_PROTOCOL_BATCH_MALFORMED', {
        what: `its format is magic ${magic}, only 2 is known`,
        offset: 16,
      })
    }
    if (size < batchHeaderSize || size > batch.length) {
      throw failure('MR_PROTOCOL_BATCH_MALFORMED', {
        what: `it claims ${size} bytes, ${batch.length} are there`,
        offset: 8,
      })
    }
    this.#count = batch.readInt32BE(57)
    if (this.#count < 0) {
      throw failure('MR_PROTOCOL_BATCH_MALFORMED', {
        what: `it claims ${this.#count} records`,
        offset: 57,
      })
    }
    this.#batch = batch
    this.#body = batch.subarray(batchHeaderSize, size)
    this.#baseOffset = readInt64(batch, 0)
    this.#baseTimestamp = readInt64(batch, 27)
    this.#appendTimestamp =
      isLogAppendTime(batch.readInt16BE(21)) && options.ignoresAppendTime !== true
        ? readInt64(batch, 35)
        : Number.NaN
    this.#maxInflatedBytes = options.maxInflatedBytes ?? defaultMaxInflatedBytes
  }

  /** Records the header claims; the walk proves it. */
  get count(): number {
    return this.#count
  }

  /** Records walked so far. */
  get read(): number {
    return this.#read
  }

  get offset(): number {
    return this.#offset
  }

  get timestamp(): number {
    return this.#timestamp
  }

  get hasKey(): boolean {
    return this.#keyLength !== absent
  }

  key(): Buffer | null {
    if (this.#keyLength === absent) return null
    return this.#body.subarray(this.#keyStart, this.#keyStart + this.#keyLength)
  }

  value(): Buffer | null {
    if (this.#valueLength === absent) return null
    return this.#body.subarray(this.#valueStart, this.#valueStart + this.#valueLength)
  }

  headers(): readonly Header[] {
    if (this.#headersCount === 0) return noHeaders
    const body = this.#body
    const headers: Header[] = []
    const after = this.#position
    this.#position = this.#headersStart
    for (let index = 0; index < this.#headersCount; index++) {
      const nameLength = this.#varint()
      const name = body.toString('utf8', this.#position, this.#position + nameLength)
      this.#position += nameLength
      const valueLength = this.#varint()
      if (valueLength < 0) {
        headers.push([name, null])
      } else {
        headers.push([name, body.subarray(this.#position, this.#position + valueLength)])
        this.#position += valueLength
      }
    }
    this.#position = after
    return headers
  }

  /** The next record, or undefined after the last. */
  next(): WireRecord | undefined {
    if (!this.advance()) return undefined
    return {
      offset: this.#offset,
      timestamp: this.#timestamp,
      key: this.key(),
      value: this.value(),
      headers: this.headers(),
    }
  }

  /** Moves to the next record; false after the last. */
  advance(): boolean {
    if (this.#read === this.#count) return false
    if (!this.#isInflated) this.#inflate()
    const body = this.#body
    if (this.#position >= body.length) {
      this.#refuse(`it claims ${this.#count} records and holds ${this.#read}`)
    }
    const length = this.#varint()
    const start = this.#position
    if (length < 0 || length > body.length - start) {
      this.#refuse(`a record claims ${length} bytes, ${body.length - start} are left`)
    }
    const end = start + length

    this.#position++
    const timestampDelta = this.#varlong()
    this.#timestamp = Number.isNaN(this.#appendTimestamp)
      ? this.#baseTimestamp + timestampDelta
      : this.#appendTimestamp
    this.#offset = this.#baseOffset + this.#varint()

    const keyLength = this.#varint()
    this.#keyStart = this.#position
    this.#keyLength = keyLength < 0 ? absent : keyLength
    if (keyLength > 0) this.#skip(keyLength, end)

    const valueLength = this.#varint()
    this.#valueStart = this.#position
    this.#valueLength = valueLength < 0 ? absent : valueLength
    if (valueLength > 0) this.#skip(valueLength, end)

    const headersCount = this.#varint()
    this.#headersCount = headersCount
    this.#headersStart = this.#position
    if (headersCount !== 0) this.#walkHeaders(headersCount, end)
    if (this.#position !== end) {
      this.#refuse(`a record of ${length} bytes was read as ${this.#position - start}`)
    }

    this.#read++
    if (this.#read === this.#count && end !== body.length) {
      this.#refuse(`${body.length - end} bytes are left after the last record`)
    }
    return true
  }

  #walkHeaders(count: number, end: number): void {
    // A header takes two bytes at least, so the count is bounded before anyone allocates for it.
    if (count < 0 || count * 2 > end - this.#position) {
      this.#refuse(`a record claims ${count} headers`)
    }
    for (let index = 0; index < count; index++) {
      const nameLength = this.#varint()
      if (nameLength < 0) this.#refuse(`a header's name has length ${nameLength}`)
      this.#skip(nameLength, end)
      const valueLength = this.#varint()
      if (valueLength > 0) this.#skip(valueLength, end)
    }
  }

  #skip(length: number, end: number): void {
    if (length > end - this.#position) {
      this.#refuse(`a field claims ${length} bytes, its record has ${end - this.#position} left`)
    }
    this.#position += length
  }

  #inflate(): void {
    const compression = compressionOf(this.#batch.readInt16BE(21))
    if (compression !== 'none') {
      this.#body = decompress(compression, this.#body, this.#maxInflatedBytes)
    }
    this.#isInflated = true
  }

  /** Zigzag, at most five bytes. Past the end of the body it reads undefined as 0, and the length check refuses it. */
  #varint(): number {
    const body = this.#body
    let byte = body[this.#position++] as number
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let shift = 7; shift <= 28; shift += 7) {
      byte = body[this.#position++] as number
      value |= (byte & 0x7f) << shift
      if (!(byte >= 0x80)) return (value >>> 1) ^ -(value & 1)
    }
    return this.#refuse('a varint is longer than five bytes')
  }

  #varlong(): number {
    const body = this.#body
    let byte = body[this.#position++] as number
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    const start = this.#position - 1
    let value = byte & 0x7f
    let scale = 128
    // Seven bytes hold 49 bits, exact as a number.
    for (let index = 1; index < 7; index++) {
      byte = body[this.#position++] as number
      value += (byte & 0x7f) * scale
      if (!(byte >= 0x80)) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 128
    }
    return this.#longVarlong(start)
  }

  #longVarlong(start: number): number {
    let value = 0n
    for (let index = 0; index < 10; index++) {
      const byte = this.#body[start + index] ?? 0
      value |= BigInt(byte & 0x7f) << BigInt(7 * index)
      if (byte < 0x80) {
        this.#position = start + index + 1
        value = BigInt.asUintN(64, value)
        return Number((value >> 1n) ^ -(value & 1n))
      }
    }
    return this.#refuse('a varlong is longer than ten bytes')
  }

  #refuse(what: string): never {
    throw failure('MR_PROTOCOL_BATCH_MALFORMED', {
      what,
      offset: batchHeaderSize + this.#position,
      baseOffset: this.#baseOffset,
    })
  }
}

/** A cursor at the start of one whole batch. */
export function recordCursor(batch: Buffer, options?: DecodeOptions): RecordCursor {
  return new RecordCursor(batch, options)
}

/**
 * All records of one whole batch.
 * @throws MR_PROTOCOL_BATCH_MALFORMED, MR_PROTOCOL_COMPRESSION_BROKEN, MR_PROTOCOL_COMPRESSION_UNKNOWN,
 * MR_PROTOCOL_INFLATED_TOO_LARGE
 */
export function decodeRecords(batch: Buffer, options?: DecodeOptions): readonly WireRecord[] {
  const cursor = new RecordCursor(batch, options)
  const records: WireRecord[] = []
  for (let record = cursor.next(); record !== undefined; record = cursor.next())
    records.push(record)
  return records
}
