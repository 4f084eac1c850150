import type { ErrorRows } from '../row.ts'

export const protocolErrors = {
  MR_PROTOCOL_MALFORMED: {
    class: 'CodecError',
    retriable: false,
    message: (at: {
      readonly message: string
      readonly path: string
      readonly offset: number
      readonly size: number
      readonly reason: string
      readonly window: string
    }) =>
      `malformed ${at.message}: ${at.path === '' ? '' : `${at.path}: `}${at.reason} at byte ${at.offset} of ${at.size} (${at.window})`,
    hint: 'The peer is not a Kafka client or broker, speaks a version it did not announce, or the bytes were damaged on the way.',
  },
  MR_PROTOCOL_UNENCODABLE: {
    class: 'CodecError',
    retriable: false,
    message: (at: { readonly message: string; readonly path: string; readonly reason: string }) =>
      `cannot encode ${at.message}: ${at.path === '' ? '' : `${at.path}: `}${at.reason}`,
    hint: 'Correct the value of this field; nothing was sent.',
  },
  MR_PROTOCOL_VERSION_UNSUPPORTED: {
    class: 'CodecError',
    retriable: false,
    message: (at: {
      readonly message: string
      readonly version: number
      readonly min: number
      readonly max: number
    }) => `there is no version ${at.version} of ${at.message} here, only ${at.min} to ${at.max}`,
    hint: 'Choose a version that both sides announce in ApiVersions.',
  },
  MR_PROTOCOL_BATCH_MALFORMED: {
    class: 'CodecError',
    retriable: false,
    message: (at: {
      readonly what: string
      readonly offset: number
      readonly baseOffset?: number
    }) =>
      `a record batch${at.baseOffset === undefined ? '' : ` with base offset ${at.baseOffset}`} is malformed: ${at.what} (byte ${at.offset})`,
    hint: 'Its producer or the disk is at fault. Look at the batch with another client, then seek past it or delete it.',
  },
  MR_PROTOCOL_COMPRESSION_BROKEN: {
    class: 'CodecError',
    retriable: false,
    message: (at: { readonly codec: string; readonly bytes: number; readonly reason: string }) =>
      `${at.bytes} bytes are no valid ${at.codec}: ${at.reason}`,
    hint: 'The producer wrote another codec than it announced, or the bytes were damaged on the way.',
  },
  MR_PROTOCOL_COMPRESSION_UNKNOWN: {
    class: 'CodecError',
    retriable: false,
    message: ({ id }: { readonly id: number }) => `no compression has the number ${id}`,
    hint: 'Known are none, gzip, snappy, lz4 and zstd; the batch comes from a newer producer or is damaged.',
  },
  MR_PROTOCOL_INFLATED_TOO_LARGE: {
    class: 'CodecError',
    retriable: false,
    message: ({ codec, limit }: { readonly codec: string; readonly limit: number }) =>
      `a ${codec} body unfolds to more than ${limit} bytes`,
    hint: 'Raise maxInflatedBytes if the batch is honest; a body this dense may be an attack.',
  },
} as const satisfies ErrorRows
