import { Message } from '../schema/message.ts'
import type { Decoded, Encodable, Shape } from '../schema/field.ts'
import { malformed, WireFault } from '../wire/malformed.ts'
import { Reader } from '../wire/reader.ts'
import { scratchWriter as writer } from '../wire/writer.ts'

/** Bytes inside a field or a record, with versions of their own. */
export interface Struct<S extends Shape> {
  readonly message: Message<S>
  /** @throws MR_PROTOCOL_UNENCODABLE, MR_PROTOCOL_VERSION_UNSUPPORTED */
  encode(version: number, value: Encodable<S>): Buffer
  /**
   * Every field, whatever the version; bytes in it are views of the buffer. What follows the last
   * known field is not looked at.
   *
   * @throws MR_PROTOCOL_MALFORMED, MR_PROTOCOL_VERSION_UNSUPPORTED
   */
  decode(buffer: Buffer): Decoded<S>
}

/**
 * Declares such a struct. On the wire an int16 version comes first, unless `isBare`: then the
 * newest version is meant.
 *
 * @param options.readsNewer - read a version above ours as our newest, as consumers do among
 *   themselves: versions only add fields at the end
 */
export function defineStruct<const S extends Shape>(options: {
  readonly name: string
  readonly versions: readonly [min: number, max: number]
  readonly flexible: number | null
  readonly fields: S
  readonly readsNewer?: boolean
  readonly isBare?: boolean
}): Struct<S> {
  const { name, versions, flexible, fields, readsNewer = false, isBare = false } = options
  const message = new Message({ name, shape: fields, versions, flexible })
  return {
    message,
    encode(version, value) {
      writer.start()
      if (!isBare) writer.i16(version)
      message.encode(writer, version, value)
      return Buffer.concat(writer.take())
    },
    decode(buffer) {
      const reader = new Reader(buffer)
      const written = isBare ? versions[1] : versionAt(reader, name)
      return message.decode(reader, readsNewer ? Math.min(written, versions[1]) : written)
    },
  }
}

/**
 * The int16 that stands before a struct: its version; before a key of a coordinator's topic also
 * the type of the record.
 *
 * @throws MR_PROTOCOL_MALFORMED
 */
export function readStructVersion(buffer: Buffer): number {
  return versionAt(new Reader(buffer), 'versioned struct')
}

function versionAt(reader: Reader, name: string): number {
  try {
    return reader.i16()
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault
    throw malformed(name, reader.bytes, fault, ['version'])
  }
}
