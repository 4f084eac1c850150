import { constants, gunzipSync, gzipSync } from 'node:zlib'

export function compressGzip(bytes: Uint8Array, level = constants.Z_DEFAULT_COMPRESSION): Buffer {
  return gzipSync(bytes, { level })
}

/** Reads several members in a row, as Java's reader does. */
export function decompressGzip(bytes: Uint8Array, maxBytes: number): Buffer {
  // Output comes in chunks; the default of 16 KiB costs a copy each for large batches.
  const chunkSize = Math.min(Math.max(bytes.length * 4, 16 * 1024), 1024 * 1024)
  return gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize })
}
