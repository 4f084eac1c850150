import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** zstd's own default, which Kafka takes too. */
const defaultLevel = 3

export function compressZstd(bytes: Uint8Array, level = defaultLevel): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })
}

/** Reads the first frame only; no producer writes more than one. */
export function decompressZstd(bytes: Uint8Array, maxBytes: number): Buffer {
  const chunkSize = Math.min(Math.max(bytes.length * 4, 16 * 1024), 1024 * 1024)
  return zstdDecompressSync(bytes, { maxOutputLength: maxBytes, chunkSize })
}
