import { onUse, require } from './library-on-use.ts'
import { TooLarge } from './too-large.ts'

const lz4 = onUse(() => require('lz4-napi') as typeof import('lz4-napi'))

/**
 * LZ4 frames (lz4_Frame_format.md), independent blocks, as Kafka demands since magic 2.
 *
 *     magic 04 22 4d 18 | flags | block size | content size? u64 | dictionary? u32 | header checksum
 *     | (size u32, high bit: stored; bytes; checksum? u32)* | 0 u32 | content checksum? u32
 *
 * The library has no limit on its output and does not miss an absent end mark, so every frame is walked first.
 */
const frameMagic = 0x184d2204
const flagBits = { blockChecksum: 0x10, contentSize: 0x08, contentChecksum: 0x04, dictionary: 0x01 }
const largestRatio = 255

export function compressLz4(bytes: Buffer): Buffer {
  return lz4().compressFrameSync(bytes)
}

export function decompressLz4(bytes: Buffer, maxBytes: number): Buffer {
  const frame = walkFrame(bytes)
  if (frame.atMostBytes > maxBytes && countBytes(bytes, frame.blocks) > maxBytes) {
    throw new TooLarge()
  }
  // What follows the first frame is not read, as in Kafka.
  return lz4().decompressFrameSync(bytes.subarray(0, frame.end))
}

interface Block {
  readonly start: number
  readonly end: number
  readonly isStored: boolean
}

interface Frame {
  readonly end: number
  /** Never less than what the frame gives; usually not much more. */
  readonly atMostBytes: number
  readonly blocks: readonly Block[]
}

function walkFrame(bytes: Buffer): Frame {
  if (bytes.length < 7) throw new Error('the frame header is cut')
  if (bytes.readUInt32LE(0) !== frameMagic) throw new Error('this is no LZ4 frame')
  const flags = bytes[4] as number
  if (flags >>> 6 !== 1) throw new Error(`the frame has version ${flags >>> 6}`)
  if ((flags & flagBits.dictionary) !== 0) throw new Error('the frame wants a dictionary')
  const sizeId = ((bytes[5] as number) >>> 4) & 0x07
  if (sizeId < 4) throw new Error(`the frame has block size ${sizeId}`)
  const blockBytes = 2 ** (8 + 2 * sizeId)
  const blockTrailer = (flags & flagBits.blockChecksum) === 0 ? 0 : 4

  let at = 7
  let claimed: number | undefined
  if ((flags & flagBits.contentSize) !== 0) {
    if (bytes.length < 15) throw new Error('the frame header is cut')
    claimed = Number(bytes.readBigUInt64LE(6))
    at += 8
  }

  let atMostBytes = 0
  const blocks: Block[] = []
  for (;;) {
    if (bytes.length - at < 4) throw new Error('the frame has no end mark')
    const field = bytes.readUInt32LE(at)
    at += 4
    if (field === 0) break
    const size = field & 0x7fffffff
    const isStored = field > 0x7fffffff
    if (size > blockBytes || size + blockTrailer > bytes.length - at) {
      throw new Error(`a block claims ${size} bytes, ${bytes.length - at} are there`)
    }
    blocks.push({ start: at, end: at + size, isStored })
    atMostBytes += isStored ? size : Math.min(blockBytes, size * largestRatio)
    at += size + blockTrailer
  }
  if ((flags & flagBits.contentChecksum) !== 0) {
    if (bytes.length - at < 4) throw new Error('the content checksum is cut')
    at += 4
  }
  // The library may allocate what the header claims.
  if (claimed !== undefined && claimed > atMostBytes) {
    throw new Error(`the frame claims ${claimed} bytes and can hold ${atMostBytes}`)
  }
  return { end: at, atMostBytes, blocks }
}

/** The exact size of the output, from the sequences' lengths alone. Only asked when the rough bound is over the limit. */
function countBytes(bytes: Buffer, blocks: readonly Block[]): number {
  let total = 0
  for (const block of blocks) {
    if (block.isStored) {
      total += block.end - block.start
      continue
    }
    let at = block.start
    while (at < block.end) {
      const token = bytes[at++] as number
      let literals = token >>> 4
      for (let more = literals === 15 ? 255 : 0; more === 255; literals += more) {
        if (at >= block.end) throw new Error('a block is cut')
        more = bytes[at++] as number
      }
      total += literals
      at += literals + 2
      // The last sequence of a block is literals alone.
      if (at - 2 >= block.end) break
      let match = (token & 0x0f) + 4
      for (let more = match === 19 ? 255 : 0; more === 255; match += more) {
        if (at >= block.end) throw new Error('a block is cut')
        more = bytes[at++] as number
      }
      total += match
    }
  }
  return total
}
