import type { Reader } from '../wire/reader.ts'
import type { Writer } from '../wire/writer.ts'
import { defaultOf, isDefault, layoutOf, leastBytes, mayBeNull } from './facts.ts'
import type { Field, Shape } from './field.ts'

/**
 * Encoder and decoder of a shape as closures over its fields. They serve where code may not be
 * generated, say the oracle's word in the tests of the compiled ones, and find the path of a
 * fault: only they keep the trail.
 */
export type Decode = (reader: Reader) => unknown
export type Encode = (writer: Writer, value: unknown) => void

export function interpretDecoder(shape: Shape, version: number, isFlexible: boolean): Decode {
  const { inPlace, tagged } = layoutOf(shape, version, isFlexible)
  const decoders = new Map<string, Decode>()
  for (const { name, field } of inPlace) {
    decoders.set(name, valueDecoder(field, version, isFlexible))
  }
  const byTag = new Map(
    tagged.map(({ name, field }) => [
      field.spec.tag,
      { name, decode: valueDecoder(field, version, isFlexible) },
    ]),
  )
  const fields = Object.entries(shape)

  return (reader) => {
    const { trail } = reader
    const values: Record<string, unknown> = {}
    for (const [name, field] of fields) {
      const decode = decoders.get(name)
      // A tagged field has its place among the properties, though its bytes come last.
      if (decode === undefined) values[name] = defaultOf(field)
      else {
        trail.push(name)
        values[name] = decode(reader)
        trail.pop()
      }
    }
    if (!isFlexible) return values
    for (let left = reader.uvarint(); left > 0; left--) {
      const known = byTag.get(reader.uvarint())
      const end = reader.tagEnd(reader.uvarint())
      if (known === undefined) {
        reader.position = end
        continue
      }
      trail.push(known.name)
      values[known.name] = known.decode(reader)
      reader.expectAt(end)
      trail.pop()
    }
    return values
  }
}

function valueDecoder(field: Field<unknown>, version: number, isFlexible: boolean): Decode {
  const { spec } = field
  const nullable = mayBeNull(field, version)
  switch (spec.kind) {
    case 'i8':
    case 'i16':
    case 'u16':
    case 'i32':
    case 'i64':
    case 'bool':
    case 'uuid': {
      const { kind } = spec
      return (reader) => reader[kind]()
    }
    case 'string':
      return isFlexible
        ? (reader) => reader.compactString(nullable)
        : (reader) => reader.string16(nullable)
    case 'bytes':
    case 'records':
      return isFlexible
        ? (reader) => reader.compactBytes(nullable)
        : (reader) => reader.bytes32(nullable)
    case 'list': {
      const decode = valueDecoder(spec.element!, version, isFlexible)
      const least = leastBytes(spec.element!, version, isFlexible)
      return (reader) => {
        const count = isFlexible
          ? reader.compactCount(nullable, least)
          : reader.count32(nullable, least)
        if (count < 0) return null
        const values: unknown[] = []
        for (let index = 0; index < count; index++) {
          reader.trail.push(index)
          values.push(decode(reader))
          reader.trail.pop()
        }
        return values
      }
    }
    case 'struct': {
      const decode = interpretDecoder(spec.shape!, version, isFlexible)
      if (!nullable) return decode
      return (reader) => (reader.isPresent(nullable) ? decode(reader) : null)
    }
  }
}

export function interpretEncoder(shape: Shape, version: number, isFlexible: boolean): Encode {
  const layout = layoutOf(shape, version, isFlexible)
  const withEncoder = ({ name, field }: (typeof layout.inPlace)[number]) => ({
    name,
    field,
    encode: valueEncoder(field, version, isFlexible),
  })
  const inPlace = layout.inPlace.map(withEncoder)
  const tagged = layout.tagged.map(withEncoder)

  return (writer, value) => {
    const { trail } = writer
    const values = value as Readonly<Record<string, unknown>>
    for (const { name, field, encode } of inPlace) {
      trail.push(name)
      encode(writer, values[name] === undefined ? defaultOf(field) : values[name])
      trail.pop()
    }
    if (!isFlexible) return
    const present = tagged.filter(({ name, field }) => !isDefault(field, values[name]))
    writer.uvarint(present.length)
    for (const { name, field, encode } of present) {
      trail.push(name)
      const start = writer.beginTag(field.spec.tag)
      encode(writer, values[name])
      writer.endTag(start)
      trail.pop()
    }
  }
}

function valueEncoder(field: Field<unknown>, version: number, isFlexible: boolean): Encode {
  const { spec } = field
  const nullable = mayBeNull(field, version)
  switch (spec.kind) {
    case 'i8':
    case 'i16':
    case 'u16':
    case 'i32':
    case 'i64': {
      const { kind } = spec
      return (writer, value) => writer[kind](value as number)
    }
    case 'bool':
      return (writer, value) => writer.bool(value as boolean)
    case 'uuid':
      return (writer, value) => writer.uuid(value as string)
    case 'string':
      return isFlexible
        ? (writer, value) => writer.compactString(value as string | null, nullable)
        : (writer, value) => writer.string16(value as string | null, nullable)
    case 'bytes':
      return isFlexible
        ? (writer, value) => writer.compactBytes(value as Buffer | null, nullable)
        : (writer, value) => writer.bytes32(value as Buffer | null, nullable)
    case 'records':
      return isFlexible
        ? (writer, value) => writer.compactRecords(value as Buffer | null, nullable)
        : (writer, value) => writer.records32(value as Buffer | null, nullable)
    case 'list': {
      const encode = valueEncoder(spec.element!, version, isFlexible)
      return (writer, value) => {
        const values = value as readonly unknown[]
        const count = isFlexible
          ? writer.compactCount(values, nullable)
          : writer.count32(values, nullable)
        for (let index = 0; index < count; index++) {
          writer.trail.push(index)
          encode(writer, values[index])
          writer.trail.pop()
        }
      }
    }
    case 'struct': {
      const encode = interpretEncoder(spec.shape!, version, isFlexible)
      return (writer, value) => {
        if (!writer.isPresent(value, nullable)) return
        encode(writer, value)
      }
    }
  }
}
