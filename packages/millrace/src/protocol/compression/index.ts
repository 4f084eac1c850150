import { failure } from '../../errors/index.ts'

import type { Compression } from './names.ts'
import { compressGzip, decompressGzip } from './gzip.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { TooLarge } from './too-large.ts'
import { compressZstd, decompressZstd } from './zstd.ts'

/**
 * Compresses the records of one batch, as Kafka's clients frame each codec.
 * @param level - of gzip (1 to 9) and zstd (1 to 22); the others have none
 */
export function compress(codec: Compression, bytes: Buffer, level?: number): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return compressGzip(bytes, level)
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return compressLz4(bytes)
    case 'zstd':
      return compressZstd(bytes, level)
  }
}

/**
 * Undoes `compress`, and what other clients write for the same codec. Memory is bounded by `maxBytes`, whatever
 * the bytes claim.
 * @throws MR_PROTOCOL_INFLATED_TOO_LARGE, MR_PROTOCOL_COMPRESSION_BROKEN
 */
export function decompress(codec: Compression, bytes: Buffer, maxBytes: number): Buffer {
  try {
    switch (codec) {
      case 'none':
        return bytes
      case 'gzip':
        return decompressGzip(bytes, maxBytes)
      case 'snappy':
        return decompressSnappy(bytes, maxBytes)
      case 'lz4':
        return decompressLz4(bytes, maxBytes)
      case 'zstd':
        return decompressZstd(bytes, maxBytes)
    }
  } catch (cause) {
    if (cause instanceof TooLarge || codeOf(cause) === 'ERR_BUFFER_TOO_LARGE') {
      throw failure('MR_PROTOCOL_INFLATED_TOO_LARGE', { codec, limit: maxBytes }, { cause })
    }
    throw failure(
      'MR_PROTOCOL_COMPRESSION_BROKEN',
      {
        codec,
        bytes: bytes.length,
        reason: cause instanceof Error ? cause.message : String(cause),
      },
      { cause },
    )
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
export { compressionNames, type Compression } from './names.ts'
