import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(4096)
let at = pool.length

/** An id that sorts by its time, to the millisecond (RFC 9562 5.7). */
export function uuidV7(nowMs: number = Date.now()): string {
  if (at + 10 > pool.length) {
    randomFillSync(pool)
    at = 0
  }
  const time = nowMs.toString(16).padStart(12, '0')
  const random = pool.toString('hex', at, at + 10)
  at += 10
  const variant = ((Number.parseInt(random[3] ?? '0', 16) & 3) | 8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`
}
