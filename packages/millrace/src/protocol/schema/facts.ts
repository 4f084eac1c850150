import type { Field, Shape } from './field.ts'

/** Questions about fields that interpreter, compilers and tests all ask. */

export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

export const noBytes = Buffer.alloc(0)

export function hasField({ spec }: Field<unknown>, version: number): boolean {
  return version >= spec.since && version <= spec.until
}

export function mayBeNull({ spec }: Field<unknown>, version: number): boolean {
  return version >= spec.nullableFrom
}

export interface NamedField {
  readonly name: string
  readonly field: Field<unknown>
}

/** The fields of a version in the order of the wire: first those in place, then tagged ones by tag. */
export function layoutOf(
  shape: Shape,
  version: number,
  isFlexible: boolean,
): { readonly inPlace: readonly NamedField[]; readonly tagged: readonly NamedField[] } {
  const inPlace: NamedField[] = []
  const tagged: NamedField[] = []
  for (const [name, field] of Object.entries(shape)) {
    if (!hasField(field, version)) continue
    if (field.spec.tag < 0) inPlace.push({ name, field })
    else if (isFlexible) tagged.push({ name, field })
  }
  tagged.sort((one, other) => one.field.spec.tag - other.field.spec.tag)
  return { inPlace, tagged }
}

/** Lists and structs are made afresh. */
export function defaultOf(field: Field<unknown>): unknown {
  const { spec } = field
  if (spec.default !== undefined) {
    return Array.isArray(spec.default) ? Array.from(spec.default as unknown[]) : spec.default
  }
  if (spec.nullableFrom !== Infinity) return null
  switch (spec.kind) {
    case 'i8':
    case 'i16':
    case 'u16':
    case 'i32':
    case 'i64':
      return 0
    case 'bool':
      return false
    case 'uuid':
      return zeroUuid
    case 'string':
      return ''
    case 'bytes':
    case 'records':
      return noBytes
    case 'list':
      return []
    case 'struct':
      return defaultsOf(spec.shape!)
  }
}

export function defaultsOf(shape: Shape): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(shape)) values[name] = defaultOf(field)
  return values
}

/** Such a tagged field is left off the wire. What is left out of an input holds its default. */
export function isDefault(field: Field<unknown>, value: unknown): boolean {
  if (value === undefined) return true
  const expected = defaultOf(field)
  if (value === null || expected === null) return value === expected
  switch (field.spec.kind) {
    case 'struct': {
      const struct = value as Readonly<Record<string, unknown>>
      return Object.entries(field.spec.shape!).every(([name, inner]) =>
        isDefault(inner, struct[name]),
      )
    }
    case 'list':
    case 'bytes':
    case 'records':
      return (value as { readonly length: number }).length === 0
    case 'i8':
    case 'i16':
    case 'u16':
    case 'i32':
    case 'i64':
    case 'bool':
    case 'uuid':
    case 'string':
      return value === expected
  }
}

/** The least that a value of the field takes on the wire, in bytes; what lists are checked with. */
export function leastBytes(field: Field<unknown>, version: number, isFlexible: boolean): number {
  const { spec } = field
  switch (spec.kind) {
    case 'i8':
    case 'bool':
      return 1
    case 'i16':
    case 'u16':
      return 2
    case 'i32':
      return 4
    case 'i64':
      return 8
    case 'uuid':
      return 16
    case 'string':
      return isFlexible ? 1 : 2
    case 'bytes':
    case 'records':
    case 'list':
      return isFlexible ? 1 : 4
    case 'struct': {
      if (mayBeNull(field, version)) return 1
      let least = isFlexible ? 1 : 0
      for (const inner of layoutOf(spec.shape!, version, isFlexible).inPlace) {
        least += leastBytes(inner.field, version, isFlexible)
      }
      return Math.max(1, least)
    }
  }
}
