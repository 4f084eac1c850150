/**
 * How bytes become a value. `decode` throws an Error whose text holds no part of the body: it reaches logs.
 */
export interface Codec<In = unknown, Out = In> {
  readonly kind: 'codec'
  readonly name: string
  encode(value: In): Buffer
  decode(bytes: Buffer): Out
}

/** JSON in UTF-8: the default of values. The type is a promise of yours; use a schema to have it checked. */
export function json<T = unknown>(): Codec<T> {
  return jsonCodec as Codec<T>
}

/** UTF-8 text: the default of keys. */
export function text(): Codec<string> {
  return textCodec
}

/** The bytes as they are. */
export function bytes(): Codec<Buffer> {
  return bytesCodec
}

const jsonCodec: Codec = {
  kind: 'codec',
  name: 'json',
  encode(value) {
    const written = JSON.stringify(value) as string | undefined
    if (written === undefined) throw new TypeError(`JSON cannot hold a ${typeof value}`)
    return Buffer.from(written)
  },
  decode(raw) {
    try {
      return JSON.parse(raw.toString('utf8')) as unknown
    } catch (error) {
      // The parser quotes the body in its message, so that message must not go on.
      const position = /position (\d+)/.exec((error as Error).message)?.[1]
      // oxlint-disable-next-line preserve-caught-error -- the cause would carry the body
      throw new SyntaxError(
        `${raw.length} bytes that are not JSON${position === undefined ? '' : ` from position ${position} on`}`,
      )
    }
  },
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

const textCodec: Codec<string> = {
  kind: 'codec',
  name: 'text',
  encode(value) {
    if (typeof value !== 'string') throw new TypeError(`text is wanted, not a ${typeof value}`)
    return Buffer.from(value)
  },
  decode: (raw) => utf8.decode(raw),
}

const bytesCodec: Codec<Buffer> = {
  kind: 'codec',
  name: 'bytes',
  encode(value) {
    if (!(value instanceof Uint8Array))
      throw new TypeError(`bytes are wanted, not a ${typeof value}`)
    return Buffer.isBuffer(value) ? value : Buffer.from(value)
  },
  decode: (raw) => raw,
}
