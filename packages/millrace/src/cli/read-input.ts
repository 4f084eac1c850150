import { failure } from '../errors/index.ts'

const newline = 0x0a

/** Lines as bytes, without their newline; a last one without a newline counts, an empty rest does not. */
export async function* linesOf(source: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  for await (const chunk of source) {
    const bytes = toBytes(chunk)
    let from = 0
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, from)) {
      const end = bytes.subarray(from, at)
      yield parts.length === 0 ? end : Buffer.concat([...parts, end])
      parts = []
      from = at + 1
    }
    if (from < bytes.length) parts.push(bytes.subarray(from))
  }
  if (parts.length > 0) yield Buffer.concat(parts)
}

export async function wholeOf(source: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of source) parts.push(toBytes(chunk))
  return Buffer.concat(parts)
}

function toBytes(chunk: unknown): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk)
  if (chunk instanceof Uint8Array)
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  throw failure('MR_CLI_USAGE', { reason: 'the input gives neither bytes nor text' })
}
