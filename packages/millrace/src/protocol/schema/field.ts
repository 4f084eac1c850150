/** How a value lies on the wire. */
export type Kind =
  | 'i8'
  | 'i16'
  | 'u16'
  | 'i32'
  | 'i64'
  | 'bool'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'
  | 'list'
  | 'struct'

/** What the verbs have said about a field. */
export interface FieldSpec {
  readonly kind: Kind
  /** First and last version that has the field. */
  readonly since: number
  readonly until: number
  /** First version in which null may stand there; Infinity: never. */
  readonly nullableFrom: number
  /** -1: not tagged. */
  readonly tag: number
  /** `undefined`: the zero of the kind, null for what is nullable. */
  readonly default: unknown
  /** Of a list. */
  readonly element: Field<unknown> | undefined
  /** Of a struct, in the order of the wire. */
  readonly shape: Shape | undefined
}

/**
 * One field of a message. Every verb returns a new field; `Value` is what the decoder gives,
 * `Input` what the encoder takes.
 */
export class Field<Value, Input = Value> {
  /** Types only; there is no such property. */
  declare readonly value: Value
  declare readonly input: Input
  readonly spec: FieldSpec

  constructor(spec: FieldSpec) {
    this.spec = spec
  }

  /** The first version that has it. Default 0. */
  since(version: number): Field<Value, Input> {
    return new Field({ ...this.spec, since: version })
  }

  /** The last version that has it. */
  until(version: number): Field<Value, Input> {
    return new Field({ ...this.spec, until: version })
  }

  /** What the decoder gives where the version lacks it, and the encoder writes when it is left out. */
  default(value: Value): Field<Value, Input> {
    return new Field({ ...this.spec, default: value })
  }

  /** May be null from this version on, and is by default. */
  nullable(from = 0): Field<Value | null, Input | null> {
    return new Field({ ...this.spec, nullableFrom: from })
  }

  /** Travels in the tag section (KIP-482), and only when it is not the default. */
  tagged(tag: number): Field<Value, Input> {
    return new Field({ ...this.spec, tag })
  }
}

export type Shape = Readonly<Record<string, Field<unknown>>>

/** A decoded message: all fields, whatever the version. */
export type Decoded<S extends Shape> = { readonly [Name in keyof S]: S[Name]['value'] }

/** A message to encode: what is left out holds its default. */
export type Encodable<S extends Shape> = {
  readonly [Name in keyof S]?: S[Name]['input'] | undefined
}

function scalar<Value, In = Value>(kind: Kind): Field<Value, In> {
  return new Field({
    kind,
    since: 0,
    until: Infinity,
    nullableFrom: Infinity,
    tag: -1,
    default: undefined,
    element: undefined,
    shape: undefined,
  })
}

export const i8: Field<number> = scalar('i8')
export const i16: Field<number> = scalar('i16')
export const u16: Field<number> = scalar('u16')
export const i32: Field<number> = scalar('i32')
/** A number: exact within 2^53, which holds for offsets, times, sizes and producer ids. */
export const i64: Field<number> = scalar('i64')
export const bool: Field<boolean> = scalar('bool')
/** 22 characters of base64url. */
export const uuid: Field<string> = scalar('uuid')
export const str: Field<string> = scalar('string')
/** Decoded as a view of the frame: copy what must outlive it. */
export const bytes: Field<Buffer> = scalar('bytes')
/** Record batches: a view of the frame when decoded, slices that are not copied when encoded. */
export const records: Field<Buffer, Buffer | readonly Buffer[]> = scalar('records')

export function struct<S extends Shape>(shape: S): Field<Decoded<S>, Encodable<S>> {
  return new Field({ ...scalar('struct').spec, shape })
}

/** A list of structs, given by their fields, or of anything else. */
export function list<Value, In>(element: Field<Value, In>): Field<readonly Value[], readonly In[]>
export function list<S extends Shape>(
  shape: S,
): Field<readonly Decoded<S>[], readonly Encodable<S>[]>
export function list(of: Field<unknown> | Shape): Field<readonly unknown[]> {
  const element = of instanceof Field ? of : struct(of)
  return new Field({ ...scalar('list').spec, element })
}
