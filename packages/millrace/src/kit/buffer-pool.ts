/** Smaller buffers cost little to make. */
export const smallestPooled = 64 * 1024
const largest = 4 * 1024 * 1024
const mostKept = 32 * 1024 * 1024

/**
 * Large buffers, used again: under a stream of large batches making and collecting them costs a third of the CPU.
 *
 * Sizes are powers of two between 64 KiB and 4 MiB; others are made and dropped. What is not given back is collected
 * like any buffer.
 */
export class BufferPool {
  readonly #free = new Map<number, Buffer[]>()
  readonly #lent = new WeakSet<ArrayBufferLike>()
  #kept = 0

  /** At least `size` bytes, with whatever was in them. */
  take(size: number): Buffer {
    const capacity = capacityFor(size)
    if (capacity === undefined) return Buffer.allocUnsafeSlow(size)
    const kept = this.#free.get(capacity)?.pop()
    if (kept !== undefined) this.#kept -= capacity
    const buffer = kept ?? Buffer.allocUnsafeSlow(capacity)
    this.#lent.add(buffer.buffer)
    return buffer
  }

  /** Gives back the whole of what `take` gave, of which `buffer` is it or a part. Nothing may look at it any more. */
  give(buffer: Buffer): void {
    const memory = buffer.buffer
    if (!this.#lent.delete(memory)) return
    const { byteLength } = memory
    if (this.#kept + byteLength > mostKept) return
    const whole = buffer.length === byteLength ? buffer : Buffer.from(memory)
    const free = this.#free.get(byteLength)
    if (free === undefined) this.#free.set(byteLength, [whole])
    else free.push(whole)
    this.#kept += byteLength
  }
}

function capacityFor(size: number): number | undefined {
  if (size < smallestPooled || size > largest) return undefined
  return 2 ** Math.ceil(Math.log2(size))
}
