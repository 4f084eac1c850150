/**
 * 64-bit integers as JavaScript numbers, and the zigzag varints of records. Offsets, times and ids stay below
 * 2^53; a value beyond is read as the nearest number and never throws.
 */
const twoTo32 = 0x1_0000_0000

export function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * twoTo32 + buffer.readUInt32BE(position + 4)
}

export function writeInt64(buffer: Buffer, position: number, value: number): void {
  if (Number.isSafeInteger(value)) {
    buffer.writeInt32BE(Math.floor(value / twoTo32), position)
    // ToUint32 takes the value modulo 2^32, of negative numbers too: the low half in two's complement.
    buffer.writeUInt32BE(value >>> 0, position + 4)
    return
  }
  buffer.writeBigInt64BE(BigInt.asIntN(64, clampToInt64(value)), position)
}

/** Numbers near 2^63 come from reading Java's Long.MAX_VALUE; they go back as that. */
function clampToInt64(value: number): bigint {
  const limit = 2n ** 63n
  const exact = BigInt(Math.trunc(value))
  if (exact >= limit) return limit - 1n
  return exact < -limit ? -limit : exact
}

/** Bytes that the zigzag varint of `value` takes; any safe integer. */
export function varintSize(value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) {
    const zigzag = (value << 1) ^ (value >> 31)
    if (zigzag < 0x80) return 1
    if (zigzag < 0x4000) return 2
    if (zigzag < 0x200000) return 3
    return zigzag < 0x10000000 ? 4 : 5
  }
  let size = 1
  for (let left = zigzagOf(value); left >= 128n; left >>= 7n) size++
  return size
}

/** Writes the zigzag varint of any safe integer and returns the position behind it. */
export function writeVarint(buffer: Buffer, position: number, value: number): number {
  let at = position
  if (value >= -0x40000000 && value < 0x40000000) {
    let left = (value << 1) ^ (value >> 31)
    while (left >= 0x80) {
      buffer[at++] = (left & 0x7f) | 0x80
      left >>>= 7
    }
    buffer[at++] = left
    return at
  }
  let left = zigzagOf(value)
  for (; left >= 128n; left >>= 7n) buffer[at++] = Number(left & 127n) | 0x80
  buffer[at++] = Number(left)
  return at
}

/** Only for deltas of more than twelve days, so its cost does not matter. */
function zigzagOf(value: number): bigint {
  const exact = BigInt(value)
  return exact >= 0n ? exact << 1n : (-exact << 1n) - 1n
}
