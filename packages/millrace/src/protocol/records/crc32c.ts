import { createRequire } from 'node:module'
import { endianness } from 'node:os'

/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of record batches. `zlib.crc32` is another polynomial.
 *
 * Two implementations, one answer: our own slicing-by-16 for short inputs, where a native call costs more
 * than it saves, and the optional native module above `nativeFromBytes`.
 */
const reflectedPolynomial = 0x82f63b78
const nativeFromBytes = 512

/** Table k at [k * 256]: the effect of a byte that stands k bytes before the end of the block. */
const tables = buildTables()
const isLittleEndian = endianness() === 'LE'

type NativeCrc = (bytes: Uint8Array, previous?: number) => number

/** undefined: not looked for yet; null: not installed. */
let native: NativeCrc | null | undefined

function buildTables(): Int32Array {
  const built = new Int32Array(16 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1) === 1 ? (crc >>> 1) ^ reflectedPolynomial : crc >>> 1
    }
    built[byte] = crc
  }
  for (let index = 256; index < built.length; index++) {
    const before = built[index - 256] as number
    built[index] = (before >>> 8) ^ (built[before & 0xff] as number)
  }
  return built
}

function loadNative(): NativeCrc | null {
  try {
    const module = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: NativeCrc }
    return module.crc32c
  } catch {
    // An optional dependency: platforms without a binding use the table code.
    return null
  }
}

/**
 * Checksum of `bytes` as an unsigned 32-bit number.
 * @param previous - the checksum of what stands before these bytes, to go on from; default 0
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  if (bytes.length >= nativeFromBytes) {
    if (native === undefined) native = loadNative()
    if (native !== null) return native(bytes, previous)
  }
  return crc32cByTable(bytes, previous)
}

/** The table code alone; the oracle for the native one. */
export function crc32cByTable(bytes: Uint8Array, previous = 0): number {
  const table = tables
  const end = bytes.length
  let crc = ~previous
  let at = 0

  if (isLittleEndian && end >= 32) {
    // Words are read through a Uint32Array over the same memory, which must start on a word.
    const toWord = (4 - (bytes.byteOffset & 3)) & 3
    for (; at < toWord; at++) {
      crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number)
    }
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + at, ((end - at) >>> 4) << 2)
    const count = words.length
    for (let word = 0; word < count; word += 4) {
      const a = (words[word] as number) ^ crc
      const b = words[word + 1] as number
      const c = words[word + 2] as number
      const d = words[word + 3] as number
      crc =
        (table[3840 + (a & 0xff)] as number) ^
        (table[3584 + ((a >>> 8) & 0xff)] as number) ^
        (table[3328 + ((a >>> 16) & 0xff)] as number) ^
        (table[3072 + (a >>> 24)] as number) ^
        (table[2816 + (b & 0xff)] as number) ^
        (table[2560 + ((b >>> 8) & 0xff)] as number) ^
        (table[2304 + ((b >>> 16) & 0xff)] as number) ^
        (table[2048 + (b >>> 24)] as number) ^
        (table[1792 + (c & 0xff)] as number) ^
        (table[1536 + ((c >>> 8) & 0xff)] as number) ^
        (table[1280 + ((c >>> 16) & 0xff)] as number) ^
        (table[1024 + (c >>> 24)] as number) ^
        (table[768 + (d & 0xff)] as number) ^
        (table[512 + ((d >>> 8) & 0xff)] as number) ^
        (table[256 + ((d >>> 16) & 0xff)] as number) ^
        (table[d >>> 24] as number)
    }
    at += count * 4
  }
  for (; at < end; at++) {
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number)
  }
  return ~crc >>> 0
}
