import { varintSize, writeVarint } from './numbers.ts'
import type { NewRecord } from './record.ts'

/*
 * One record of a batch; every number is a zigzag varint.
 *
 *     length | attributes i8 = 0 | timestamp delta | offset delta | key length, key | value length, value
 *     | headers count, (name length, name, value length, value)*          a length of -1 is null
 */

function sizeOfBytes(bytes: Buffer | string | null): number {
  if (bytes === null) return 1
  const length = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length
  return varintSize(length) + length
}

/** Bytes of a record without the length in front. */
export function sizeOfBody(
  record: Pick<NewRecord, 'key' | 'value' | 'headers'>,
  timestampDelta: number,
  offsetDelta: number,
): number {
  const { headers } = record
  let size =
    1 +
    varintSize(timestampDelta) +
    varintSize(offsetDelta) +
    sizeOfBytes(record.key) +
    sizeOfBytes(record.value)
  if (headers === undefined) return size + 1
  size += varintSize(headers.length)
  for (const header of headers) size += sizeOfBytes(header[0]) + sizeOfBytes(header[1])
  return size
}

/** Writes a record of `sizeOfBody` bytes at `position`, where there is room; returns the position behind it. */
export function writeRecord(
  buffer: Buffer,
  position: number,
  record: Pick<NewRecord, 'key' | 'value' | 'headers'>,
  timestampDelta: number,
  offsetDelta: number,
  bodySize: number,
): number {
  const { headers } = record
  let at = writeVarint(buffer, position, bodySize)
  buffer[at++] = 0
  at = writeVarint(buffer, at, timestampDelta)
  at = writeVarint(buffer, at, offsetDelta)
  at = writeBytes(buffer, at, record.key)
  at = writeBytes(buffer, at, record.value)
  if (headers === undefined) {
    buffer[at++] = 0
    return at
  }
  at = writeVarint(buffer, at, headers.length)
  for (const header of headers) {
    at = writeBytes(buffer, at, header[0])
    at = writeBytes(buffer, at, header[1])
  }
  return at
}

function writeBytes(buffer: Buffer, position: number, bytes: Buffer | string | null): number {
  if (bytes === null) {
    buffer[position] = 1
    return position + 1
  }
  if (typeof bytes === 'string') {
    const length = Buffer.byteLength(bytes)
    const at = writeVarint(buffer, position, length)
    buffer.write(bytes, at, length, 'utf8')
    return at + length
  }
  const at = writeVarint(buffer, position, bytes.length)
  buffer.set(bytes, at)
  return at + bytes.length
}
