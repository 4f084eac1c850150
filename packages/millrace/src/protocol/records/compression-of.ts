import { failure } from '../../errors/index.ts'
import type { Compression } from '../compression/index.ts'
import { knownCompressionOf } from './attributes.ts'

/** @throws MR_PROTOCOL_COMPRESSION_UNKNOWN for ids 5 to 7 */
export function compressionOf(attributes: number): Compression {
  const compression = knownCompressionOf(attributes)
  if (compression === undefined) {
    throw failure('MR_PROTOCOL_COMPRESSION_UNKNOWN', { id: attributes & 0x07 })
  }
  return compression
}
