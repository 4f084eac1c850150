import { apis } from './apis/apis.ts'
import { defaultOf } from './schema/facts.ts'
import type { Field, Shape } from './schema/field.ts'
import type { AnyApi } from './schema/define-api.ts'

/** One field as data; `since` and `until` are the API's own ends where the field says nothing. */
export interface FieldDump {
  readonly name: string
  /** `int32`, `string`, `[]int32`, `[]struct`, ... as in Kafka's definitions. */
  readonly type: string
  readonly since: number
  readonly until: number
  /** The first version in which it may be null; null: never. */
  readonly nullableFrom: number | null
  readonly tag: number | null
  /** int64's greatest value is shown as the number 2^63. Absent for structs, whose fields tell. */
  readonly default?: unknown
  /** Of a struct, or of the elements of a list of structs. */
  readonly fields?: readonly FieldDump[]
}

export interface ApiDump {
  readonly api: string
  readonly key: number
  readonly versions: readonly [min: number, max: number]
  readonly flexible: number | null
  readonly request: readonly FieldDump[]
  readonly response: readonly FieldDump[]
}

/** Every API as plain JSON, to compare with Kafka's published definitions. */
export function dumpSchemas(): readonly ApiDump[] {
  return Object.values<AnyApi>(apis).map((api) => ({
    api: api.name,
    key: api.key,
    versions: api.versions,
    flexible: api.flexible,
    request: dumpShape(api.request.shape, api.versions),
    response: dumpShape(api.response.shape, api.versions),
  }))
}

const typeNames = {
  i8: 'int8',
  i16: 'int16',
  u16: 'uint16',
  i32: 'int32',
  i64: 'int64',
  bool: 'bool',
  uuid: 'uuid',
  string: 'string',
  bytes: 'bytes',
  records: 'records',
  struct: 'struct',
} as const

function dumpShape(shape: Shape, [min, max]: readonly [number, number]): readonly FieldDump[] {
  return Object.entries(shape).map(([name, field]) => {
    const { spec } = field
    const since = Math.max(min, spec.since)
    const until = Math.min(max, spec.until)
    const inner = innerShape(field)
    const value = defaultOf(field)
    return {
      name,
      type: typeOf(field),
      since,
      until,
      nullableFrom: spec.nullableFrom === Infinity ? null : Math.max(since, spec.nullableFrom),
      tag: spec.tag < 0 ? null : spec.tag,
      ...(spec.kind === 'struct' && value !== null
        ? {}
        : { default: value instanceof Uint8Array ? '' : value }),
      ...(inner === undefined ? {} : { fields: dumpShape(inner, [since, until]) }),
    }
  })
}

function innerShape({ spec }: Field<unknown>): Shape | undefined {
  return spec.shape ?? spec.element?.spec.shape
}

function typeOf({ spec }: Field<unknown>): string {
  return spec.kind === 'list' ? `[]${typeOf(spec.element!)}` : typeNames[spec.kind]
}
