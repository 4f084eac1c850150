/**
 * The sparse offset index of one segment, as Kafka's `.index`: pairs of big-endian int32, the relative **last**
 * offset of a batch and the position where that batch starts, both rising. At most one per index interval.
 */
export class OffsetIndex {
  #offsets: Int32Array
  #positions: Int32Array
  #length = 0

  constructor(capacity = 64) {
    this.#offsets = new Int32Array(capacity)
    this.#positions = new Int32Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  add(relativeOffset: number, position: number): void {
    if (this.#length === this.#offsets.length) {
      this.#offsets = grown(this.#offsets)
      this.#positions = grown(this.#positions)
    }
    this.#offsets[this.#length] = relativeOffset
    this.#positions[this.#length] = position
    this.#length++
  }

  lastOffset(): number {
    return this.#length === 0 ? -1 : (this.#offsets[this.#length - 1] ?? -1)
  }

  lastPosition(): number {
    return this.#length === 0 ? 0 : (this.#positions[this.#length - 1] ?? 0)
  }

  /** Where to start walking to reach this relative offset: a batch that begins at or before it. */
  positionOf(relativeOffset: number): number {
    const entry = lastAtMost(this.#offsets, this.#length, relativeOffset)
    return entry < 0 ? 0 : (this.#positions[entry] ?? 0)
  }

  /** The nearest batch start at or before a position in the file. */
  borderBefore(position: number): number {
    const entry = lastAtMost(this.#positions, this.#length, position)
    return entry < 0 ? 0 : (this.#positions[entry] ?? 0)
  }

  encode(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#length * 8)
    for (let entry = 0; entry < this.#length; entry++) {
      bytes.writeInt32BE(this.#offsets[entry] ?? 0, entry * 8)
      bytes.writeInt32BE(this.#positions[entry] ?? 0, entry * 8 + 4)
    }
    return bytes
  }

  /** An index from its file, or undefined when it cannot be the index of a segment of this size. */
  static decode(bytes: Buffer, segmentBytes: number): OffsetIndex | undefined {
    if (bytes.length % 8 !== 0) return undefined
    const length = bytes.length / 8
    const index = new OffsetIndex(Math.max(length, 1))
    let [offsetBefore, positionBefore] = [-1, 0]
    for (let entry = 0; entry < length; entry++) {
      const offset = bytes.readInt32BE(entry * 8)
      const position = bytes.readInt32BE(entry * 8 + 4)
      // The first batch never has an entry: nothing was written since the one before it.
      if (offset <= offsetBefore || position <= positionBefore || position >= segmentBytes)
        return undefined
      index.add(offset, position)
      offsetBefore = offset
      positionBefore = position
    }
    return index
  }
}

function grown(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}

/** Index of the last element <= target among the first `length`, which rise; -1 when there is none. */
export function lastAtMost(
  array: Int32Array | Float64Array | readonly number[],
  length: number,
  target: number,
): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((array[middle] ?? 0) <= target) low = middle + 1
    else high = middle
  }
  return low - 1
}
