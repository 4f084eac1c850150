import { compressionNames, type Compression } from '../compression/index.ts'

export const attributeBits = {
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const

/** @returns undefined for the three ids that no codec has */
export function knownCompressionOf(attributes: number): Compression | undefined {
  return compressionNames[attributes & 0x07]
}

export function idOfCompression(compression: Compression): number {
  return compressionNames.indexOf(compression)
}

export function isLogAppendTime(attributes: number): boolean {
  return (attributes & attributeBits.logAppendTime) !== 0
}

export function isTransactional(attributes: number): boolean {
  return (attributes & attributeBits.transactional) !== 0
}

/** Control batches hold markers of transactions; no application sees them. */
export function isControl(attributes: number): boolean {
  return (attributes & attributeBits.control) !== 0
}

/** Then `baseTimestamp` is the time at which compaction may drop the batch's tombstones (KIP-534). */
export function hasDeleteHorizon(attributes: number): boolean {
  return (attributes & attributeBits.deleteHorizon) !== 0
}
