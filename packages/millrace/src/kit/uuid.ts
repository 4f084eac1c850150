import { systemClock, type Clock } from './clock.ts'

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
/** Random bytes are fetched for so many ids at once: a call of its own for each would cost more than the rest. */
const poolIds = 512
const bytesPerId = 10

/**
 * Makes UUIDs of version 7 (RFC 9562, 5.7): 48 bits of the clock's time, a counter, and 62 random bits. Those of one
 * source rise, also within a millisecond and when the clock goes back (6.2, method 1: the 12 bits of rand_a count,
 * beginning in their lower half).
 */
export function uuidSource(clock: Pick<Clock, 'now'>): () => string {
  const pool = Buffer.allocUnsafe(poolIds * bytesPerId)
  let at = pool.length
  let lastMs = -1
  let count = 0
  return () => {
    if (at === pool.length) {
      // Loaded at the first id: most commands make none, and it takes as long as all of `kit`.
      process.getBuiltinModule('node:crypto').randomFillSync(pool)
      at = 0
    }
    const nowMs = clock.now()
    if (nowMs > lastMs) {
      lastMs = nowMs
      count = pool.readUInt16BE(at) & 0x7ff
    } else if (++count > 0xfff) {
      lastMs++
      count = 0
    }
    const high = Math.floor(lastMs / 0x1_0000)
    const low = lastMs & 0xffff
    const text =
      `${hexOf(high >>> 24)}${hexOf(high >>> 16)}${hexOf(high >>> 8)}${hexOf(high)}-` +
      `${hexOf(low >>> 8)}${hexOf(low)}-${hexOf(0x70 | (count >>> 8))}${hexOf(count)}-` +
      `${hexOf(0x80 | ((pool[at + 2] ?? 0) & 0x3f))}${hexOf(pool[at + 3])}-` +
      `${hexOf(pool[at + 4])}${hexOf(pool[at + 5])}${hexOf(pool[at + 6])}` +
      `${hexOf(pool[at + 7])}${hexOf(pool[at + 8])}${hexOf(pool[at + 9])}`
    at += bytesPerId
    return text
  }
}

/** A UUID of version 7: those of this process rise with time. */
export const uuidV7: () => string = uuidSource(systemClock)

function hexOf(byte: number | undefined): string {
  return hex[(byte ?? 0) & 0xff] as string
}
