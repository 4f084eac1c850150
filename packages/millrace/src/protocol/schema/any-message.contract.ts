import * as fc from 'fast-check'

import { hasField, mayBeNull } from './facts.ts'
import type { Field, Shape } from './field.ts'

/** Any legal value of a shape at a version; what the version lacks is sometimes given all the same. */
export function anyMessage(
  shape: Shape,
  version: number,
): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {}
  for (const [name, field] of Object.entries(shape)) fields[name] = anyValue(field, version)
  return fc.record(fields, { requiredKeys: [] })
}

function anyValue(field: Field<unknown>, version: number): fc.Arbitrary<unknown> {
  const value = anyPresent(field, version)
  if (!hasField(field, version) || !mayBeNull(field, version)) return value
  return fc.option(value, { freq: 4 })
}

function anyPresent(field: Field<unknown>, version: number): fc.Arbitrary<unknown> {
  const { kind, element, shape } = field.spec
  switch (kind) {
    case 'i8':
      return fc.integer({ min: -0x80, max: 0x7f })
    case 'i16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'u16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'i32':
      return fc.integer()
    case 'i64':
      return fc.oneof(
        { weight: 8, arbitrary: fc.maxSafeInteger() },
        { weight: 1, arbitrary: fc.constantFrom(2 ** 63, -(2 ** 63), 2 ** 53, 2 ** 62, 2 ** 32) },
      )
    case 'bool':
      return fc.boolean()
    case 'uuid':
      return fc.oneof(
        { weight: 1, arbitrary: fc.constant('AAAAAAAAAAAAAAAAAAAAAA') },
        {
          weight: 4,
          arbitrary: fc
            .uint8Array({ minLength: 16, maxLength: 16 })
            .map((id) => Buffer.from(id).toString('base64url')),
        },
      )
    case 'string':
      return fc.oneof(
        { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
        { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
        { weight: 1, arbitrary: fc.string({ minLength: 120, maxLength: 300 }) },
      )
    case 'bytes':
    case 'records':
      return fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    case 'list':
      return fc.array(anyValue(element!, version), { maxLength: 4 })
    case 'struct':
      return anyMessage(shape!, version)
  }
}
