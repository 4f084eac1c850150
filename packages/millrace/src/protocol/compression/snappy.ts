import { onUse, require } from './library-on-use.ts'
import { TooLarge } from './too-large.ts'

const snappy = onUse(() => require('snappy') as typeof import('snappy'))

/**
 * Snappy as Java clients frame it (the xerial stream): a header, then blocks which are compressed one by one.
 *
 *     82 'SNAPPY' 00 | version i32 = 1 | oldest reader i32 = 1 | (length i32, raw snappy block)*
 *
 * Kafka also reads a bare raw block, which some clients write; so does this.
 */
const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const streamHeader = Buffer.concat([magic, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])])
const blockBytes = 32 * 1024

/** A copy element of 3 bytes gives at most 64; a block that claims more than this is lying. */
const largestRatio = 22

export function compressSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [streamHeader]
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = snappy().compressSync(bytes.subarray(at, at + blockBytes))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

export function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!startsWithMagic(bytes, 0)) return decompressBlock(bytes, maxBytes)
  const parts: Buffer[] = []
  let left = maxBytes
  let at = 0
  while (at < bytes.length) {
    // Streams may follow one another, each with its header.
    if (startsWithMagic(bytes, at)) {
      if (bytes.length - at < streamHeader.length) throw new Error('the stream header is cut')
      at += streamHeader.length
      continue
    }
    if (bytes.length - at < 4) throw new Error('a block length is cut')
    const length = bytes.readInt32BE(at)
    at += 4
    if (length < 0 || length > bytes.length - at) {
      throw new Error(`a block claims ${length} bytes, ${bytes.length - at} are there`)
    }
    const part = decompressBlock(bytes.subarray(at, at + length), left)
    left -= part.length
    at += length
    parts.push(part)
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

/** The library allocates what the block claims, so the claim is judged first: six bytes can ask for 4 GiB. */
function decompressBlock(block: Buffer, maxBytes: number): Buffer {
  const claimed = claimedLength(block)
  if (claimed > block.length * largestRatio) {
    throw new Error(`a block of ${block.length} bytes claims to hold ${claimed}`)
  }
  if (claimed > maxBytes) throw new TooLarge()
  return snappy().uncompressSync(block, { asBuffer: true }) as Buffer
}

function claimedLength(block: Buffer): number {
  let length = 0
  for (let at = 0; at < Math.min(block.length, 5); at++) {
    const byte = block[at] as number
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return length
  }
  throw new Error('a block has no length')
}

function startsWithMagic(bytes: Buffer, at: number): boolean {
  return bytes.length - at >= magic.length && magic.compare(bytes, at, at + magic.length) === 0
}
