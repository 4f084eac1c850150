import type { Headers } from './deliveries.ts'

/** The most that a record needs beside its key, value and headers, as librdkafka reckons it. */
const recordOverhead = 36

/**
 * What librdkafka compares with `message.max.bytes` before it accepts a message: bytes, counted from above. With the
 * default of 1,000,000 the largest value of a message without a key has 999,964.
 */
export function messageSize(key: Buffer | null, value: Buffer | null, headers: Headers): number {
  let bytes = recordOverhead + (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, content] of headers) {
    bytes += withLength(Buffer.byteLength(name))
    bytes += withLength(content === null ? 0 : Buffer.byteLength(content))
  }
  return bytes
}

/** With a zigzag varint of its length in front. */
function withLength(bytes: number): number {
  let size = bytes + 1
  for (let rest = bytes * 2; rest > 127; rest = Math.floor(rest / 128)) size++
  return size
}
