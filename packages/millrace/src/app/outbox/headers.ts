import type { EncodedMessage } from '../ports.ts'

/**
 * Headers as one value of a row: order, repeats and bytes are kept.
 *
 *     count int32 | for each: name length int32, name, value length int32 (-1 for null), value
 */
type Headers = NonNullable<EncodedMessage['headers']>

const none = Buffer.alloc(4)

export function encodeHeaders(headers: Headers): Buffer {
  if (headers.length === 0) return none
  const parts: Buffer[] = [int32(headers.length)]
  for (const [name, value] of headers) {
    const text = Buffer.from(name)
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    parts.push(int32(text.length), text, int32(bytes === null ? -1 : bytes.length))
    if (bytes !== null) parts.push(bytes)
  }
  return Buffer.concat(parts)
}

export function decodeHeaders(encoded: Buffer): (readonly [string, Buffer | null])[] {
  const headers: (readonly [string, Buffer | null])[] = []
  const count = encoded.readInt32BE(0)
  let at = 4
  for (let index = 0; index < count; index++) {
    const nameEnd = at + 4 + encoded.readInt32BE(at)
    const name = encoded.toString('utf8', at + 4, nameEnd)
    const length = encoded.readInt32BE(nameEnd)
    at = nameEnd + 4 + Math.max(0, length)
    headers.push([name, length < 0 ? null : encoded.subarray(nameEnd + 4, at)])
  }
  return headers
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}
