import { lastAtMost } from './offset-index.ts'

export interface TimeEntry {
  readonly timestamp: number
  /** Relative last offset of the batch that first reached this timestamp. */
  readonly relativeOffset: number
}

/**
 * The sparse time index of one segment, as Kafka's `.timeindex`: big-endian int64 greatest timestamp so far, int32
 * relative last offset of the batch that holds it. Timestamps rise strictly. Whatever is later than an entry's
 * timestamp stands behind that entry's batch.
 */
export class TimeIndex {
  #timestamps: Float64Array
  #offsets: Int32Array
  #length = 0

  constructor(capacity = 64) {
    this.#timestamps = new Float64Array(capacity)
    this.#offsets = new Int32Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  get last(): TimeEntry | undefined {
    if (this.#length === 0) return undefined
    return {
      timestamp: this.#timestamps[this.#length - 1] ?? 0,
      relativeOffset: this.#offsets[this.#length - 1] ?? 0,
    }
  }

  /** Adds an entry unless the timestamp is no later than the last one. */
  addIfLater(timestamp: number, relativeOffset: number): void {
    const before = this.#length === 0 ? -1 : (this.#timestamps[this.#length - 1] ?? -1)
    if (timestamp <= before) return
    if (this.#length === this.#timestamps.length) {
      const timestamps = new Float64Array(this.#length * 2)
      timestamps.set(this.#timestamps)
      const offsets = new Int32Array(this.#length * 2)
      offsets.set(this.#offsets)
      this.#timestamps = timestamps
      this.#offsets = offsets
    }
    this.#timestamps[this.#length] = timestamp
    this.#offsets[this.#length] = relativeOffset
    this.#length++
  }

  /** From which relative offset to look for the first record at or after a time. */
  offsetBefore(timestamp: number): number {
    const entry = lastAtMost(this.#timestamps, this.#length, timestamp)
    return entry < 0 ? 0 : (this.#offsets[entry] ?? 0)
  }

  encode(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#length * 12)
    for (let entry = 0; entry < this.#length; entry++) {
      bytes.writeBigInt64BE(BigInt(this.#timestamps[entry] ?? 0), entry * 12)
      bytes.writeInt32BE(this.#offsets[entry] ?? 0, entry * 12 + 8)
    }
    return bytes
  }

  /** An index from its file, or undefined when it is none. */
  static decode(bytes: Buffer): TimeIndex | undefined {
    if (bytes.length % 12 !== 0) return undefined
    const length = bytes.length / 12
    const index = new TimeIndex(Math.max(length, 1))
    let [timeBefore, offsetBefore] = [-1, -1]
    for (let entry = 0; entry < length; entry++) {
      const timestamp = Number(bytes.readBigInt64BE(entry * 12))
      const offset = bytes.readInt32BE(entry * 12 + 8)
      if (timestamp <= timeBefore || offset <= offsetBefore) return undefined
      index.addIfLater(timestamp, offset)
      timeBefore = timestamp
      offsetBefore = offset
    }
    return index
  }
}
