import { failure } from '../../errors/index.ts'
import { WireFault, malformed, pathOf } from '../wire/malformed.ts'
import { Reader } from '../wire/reader.ts'
import { scratchWriter, type Writer } from '../wire/writer.ts'
import type { Decoded, Encodable, Shape } from './field.ts'
import { bestCodec, type BodyCodec, type MakeBodyCodec } from './body-codec.ts'
import { interpretDecoder, interpretEncoder } from './interpret.ts'

/** A shape with its versions: encodes and decodes bodies, each version's codec made on first use. */
export class Message<S extends Shape = Shape> {
  readonly name: string
  readonly shape: S
  readonly versions: readonly [min: number, max: number]
  /** The first version with compact lengths and tags (KIP-482); null: none. */
  readonly flexible: number | null
  readonly #codecs: (BodyCodec | undefined)[] = []
  readonly #makeCodec: MakeBodyCodec

  constructor(options: {
    readonly name: string
    readonly shape: S
    readonly versions: readonly [min: number, max: number]
    readonly flexible: number | null
    /** Default: generated code, or closures where code may not be generated. */
    readonly makeCodec?: MakeBodyCodec
  }) {
    this.name = options.name
    this.shape = options.shape
    this.versions = options.versions
    this.flexible = options.flexible
    this.#makeCodec = options.makeCodec ?? bestCodec
  }

  /** The same message with codecs made another way, for tests and benchmarks. */
  with(makeCodec: MakeBodyCodec): Message<S> {
    const { name, shape, versions, flexible } = this
    return new Message({ name, shape, versions, flexible, makeCodec })
  }

  hasVersion(version: number): boolean {
    return version >= this.versions[0] && version <= this.versions[1]
  }

  isFlexible(version: number): boolean {
    return this.flexible !== null && version >= this.flexible
  }

  /** Leaves the reader after the body; what follows is not looked at. @throws MR_PROTOCOL_MALFORMED */
  decode(reader: Reader, version: number): Decoded<S> {
    const { position } = reader
    try {
      return this.#codec(version).decode(reader) as Decoded<S>
    } catch (fault) {
      if (!(fault instanceof WireFault)) throw fault
      throw this.#explainDecoding(reader.bytes, position, version, fault)
    }
  }

  /** @throws MR_PROTOCOL_UNENCODABLE for a value that its field cannot hold */
  encode(writer: Writer, version: number, value: Encodable<S>): void {
    const codec = this.#codec(version)
    const { position } = writer
    try {
      codec.encode(writer, value)
    } catch (fault) {
      if (!(fault instanceof WireFault)) throw fault
      throw this.#explainEncoding(writer, position, version, value, fault)
    }
  }

  /** Decodes bytes that are a body and nothing else. @throws MR_PROTOCOL_MALFORMED */
  decodeBody(version: number, body: Buffer): Decoded<S> {
    return this.decode(new Reader(body), version)
  }

  /** The body alone, records copied into it. @throws MR_PROTOCOL_UNENCODABLE */
  encodeBody(version: number, value: Encodable<S>): Buffer {
    scratchWriter.start()
    this.encode(scratchWriter, version, value)
    return Buffer.concat(scratchWriter.take())
  }

  #codec(version: number): BodyCodec {
    const known = this.#codecs[version]
    if (known !== undefined) return known
    if (!this.hasVersion(version)) {
      throw failure('MR_PROTOCOL_VERSION_UNSUPPORTED', {
        message: this.name,
        version,
        min: this.versions[0],
        max: this.versions[1],
      })
    }
    const codec = this.#makeCodec(this.shape, version, this.isFlexible(version))
    this.#codecs[version] = codec
    return codec
  }

  /** Repeats the decoding with a trail. */
  #explainDecoding(bytes: Buffer, position: number, version: number, fault: WireFault): Error {
    const reader = new Reader(bytes, position)
    try {
      interpretDecoder(this.shape, version, this.isFlexible(version))(reader)
    } catch (again) {
      if (!(again instanceof WireFault)) throw again
      return malformed(`${this.name} v${version}`, bytes, again, reader.trail)
    }
    return malformed(`${this.name} v${version}`, bytes, fault)
  }

  #explainEncoding(
    writer: Writer,
    position: number,
    version: number,
    value: Encodable<S>,
    fault: WireFault,
  ): Error {
    writer.position = position
    writer.trail.length = 0
    let reason = fault.message
    try {
      interpretEncoder(this.shape, version, this.isFlexible(version))(writer, value)
    } catch (again) {
      if (!(again instanceof WireFault)) throw again
      reason = again.message
    }
    return failure('MR_PROTOCOL_UNENCODABLE', {
      message: `${this.name} v${version}`,
      path: pathOf(writer.trail),
      reason,
    })
  }
}
