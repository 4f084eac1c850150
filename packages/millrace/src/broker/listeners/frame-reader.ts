import { failure } from '../../errors/index.ts'
import { BufferPool } from '../../kit/index.ts'

/** Room made for a frame before its bytes are there: a length alone must not take memory. */
const firstCapacity = 2 * 1024 * 1024

/**
 * Cuts a byte stream into frames (int32 size, then that many bytes).
 *
 * A frame that lies whole in a read chunk is a view of it, no copy; another one is gathered in a
 * buffer of its own, which grows with what has arrived. Chunks that are not asked for stay queued, so that
 * a connection which is busy parses nothing ahead.
 */
export class FrameReader {
  readonly #maxBytes: number
  readonly #pool: BufferPool
  readonly #chunks: Buffer[] = []
  /** Read position in the first chunk. */
  #position = 0
  #buffered = 0
  /** The frame being gathered; its size is `#size`. */
  #partial: Buffer | undefined
  #filled = 0
  #size = -1

  /** What the last frame of `next` was gathered in, for the pool; undefined: a view of a chunk. */
  lent: Buffer | undefined

  /** @param maxBytes - a larger frame is refused before anything is allocated */
  constructor(maxBytes: number, pool = new BufferPool()) {
    this.#maxBytes = maxBytes
    this.#pool = pool
  }

  /** Bytes pushed and not yet part of a frame that was handed out or is being gathered. */
  get buffered(): number {
    return this.#buffered
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
  }

  /**
   * The next whole frame without its size, or undefined until more bytes come.
   * @throws MR_BROKER_FRAME_SIZE when the size is below zero or above the limit
   */
  next(): Buffer | undefined {
    this.lent = undefined
    if (this.#size < 0 && !this.#readSize()) return undefined
    const size = this.#size
    if (this.#partial === undefined) {
      const chunk = this.#chunks[0]
      const left = chunk === undefined ? 0 : chunk.length - this.#position
      if (chunk !== undefined && left >= size) {
        const frame = chunk.subarray(this.#position, this.#position + size)
        this.#skip(size)
        this.#size = -1
        return frame
      }
      // One more byte than a frame of no bytes has: a zero frame is whole in any chunk, or here.
      if (size === 0) {
        this.#size = -1
        return Buffer.alloc(0)
      }
      this.#partial = this.#pool.take(Math.min(size, firstCapacity))
      this.#filled = 0
    }
    this.#gather(size)
    if (this.#filled < size) return undefined
    const gathered = this.#partial
    this.lent = gathered
    this.#partial = undefined
    this.#size = -1
    return gathered.length === size ? gathered : gathered.subarray(0, size)
  }

  #readSize(): boolean {
    if (this.#buffered < 4) return false
    const chunk = this.#chunks[0]!
    let size: number
    if (chunk.length - this.#position >= 4) {
      size = chunk.readInt32BE(this.#position)
      this.#skip(4)
    } else {
      size = 0
      for (let index = 0; index < 4; index++) {
        size = (size << 8) | this.#chunks[0]![this.#position]!
        this.#skip(1)
      }
    }
    if (size < 0 || size > this.#maxBytes)
      throw failure('MR_BROKER_FRAME_SIZE', { bytes: size, limit: this.#maxBytes })
    this.#size = size
    return true
  }

  #gather(size: number): void {
    while (this.#filled < size && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!
      const count = Math.min(size - this.#filled, chunk.length - this.#position)
      const target = this.#roomFor(this.#filled + count, size)
      chunk.copy(target, this.#filled, this.#position, this.#position + count)
      this.#filled += count
      this.#skip(count)
    }
  }

  #roomFor(bytes: number, size: number): Buffer {
    const partial = this.#partial!
    if (partial.length >= bytes) return partial
    const larger = this.#pool.take(Math.min(size, Math.max(bytes, partial.length * 4)))
    partial.copy(larger, 0, 0, this.#filled)
    this.#pool.give(partial)
    this.#partial = larger
    return larger
  }

  #skip(bytes: number): void {
    this.#position += bytes
    this.#buffered -= bytes
    if (this.#position < this.#chunks[0]!.length) return
    this.#chunks.shift()
    this.#position = 0
  }
}
