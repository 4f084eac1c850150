/** Smaller frames mostly lie whole in a read chunk, and cost little to make. */
const smallest = 64 * 1024
const largest = 4 * 1024 * 1024
const mostKept = 32 * 1024 * 1024

/**
 * Buffers for frames that do not lie whole in a read chunk, used again once their request is answered: under a
 * stream of large batches making and collecting them costs a tenth of the CPU.
 *
 * Sizes are powers of two between 64 KiB and 4 MiB; others are made and dropped.
 */
export class FramePool {
  readonly #free = new Map<number, Buffer[]>()
  #kept = 0

  /** At least `size` bytes, with whatever was in them. */
  take(size: number): Buffer {
    const capacity = capacityFor(size)
    if (capacity === undefined) return Buffer.allocUnsafeSlow(size)
    const buffer = this.#free.get(capacity)?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(capacity)
    this.#kept -= capacity
    return buffer
  }

  /** Gives back what `take` gave. Nothing may look at it any more. */
  give(buffer: Buffer): void {
    const { length } = buffer
    if (capacityFor(length) !== length || this.#kept + length > mostKept) return
    const free = this.#free.get(length)
    if (free === undefined) this.#free.set(length, [buffer])
    else free.push(buffer)
    this.#kept += length
  }
}

function capacityFor(size: number): number | undefined {
  if (size < smallest || size > largest) return undefined
  return 2 ** Math.ceil(Math.log2(size))
}
