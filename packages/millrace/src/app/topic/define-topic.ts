import type { StandardSchemaV1 } from '@standard-schema/spec'

import { failure } from '../../errors/index.ts'
import type { Duration } from '../../kit/index.ts'
import { json, text, type Codec } from './codec.ts'
import type { UsualDiscriminant } from './discriminant.ts'

/** A codec, or any schema that follows Standard Schema (zod, valibot, arktype...), written as JSON. */
export type ValueSpec = Codec | StandardSchemaV1

export interface TopicOptions<
  V extends ValueSpec = ValueSpec,
  K extends Codec = Codec,
  Tombstones extends boolean = boolean,
  Discriminant extends string = string,
> {
  /** Default JSON of anything. */
  readonly value?: V
  /** Default text. */
  readonly key?: K
  /** Whether a null value is a message ("this key is gone"); the type of the value then includes null. Default false. */
  readonly tombstones?: Tombstones
  /**
   * The property that tells the event types of a union apart, for `on` of defineConsumer. Default the first of `event_name`,
   * `eventName`, `event_type`, `eventType`, `event`, `type` and `kind` that the value has.
   */
  readonly discriminant?: Discriminant
  /** Which of the configuration's `clusters` holds it. Default `'main'`. */
  readonly cluster?: string
  /** For creating the topic; default the broker's. */
  readonly partitions?: number
  readonly replicas?: number
  /** How long messages are kept, `'7d'`, or `'forever'`. Default the broker's. */
  readonly retention?: Duration
  /** Keep only the latest message of each key. Default false. */
  readonly compaction?: boolean
  /** Kafka's own topic settings. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** `'ahead'` decodes before the handler starts; needed when the schema validates asynchronously. Default `'lazy'`. */
  readonly decode?: 'lazy' | 'ahead'
}

/** The codec or schema's side that goes in when sending. */
type InputOfSpec<V> = V extends StandardSchemaV1<infer I> ? I : V extends Codec<infer I> ? I : never
type OutputOfSpec<V> =
  V extends StandardSchemaV1<unknown, infer O> ? O : V extends Codec<never, infer O> ? O : never

/**
 * A declared topic: the only place for its name, key, value and settings. Consumers, responders, producers and
 * tests take their types from it.
 */
export interface Topic<
  Name extends string = string,
  In = unknown,
  Out = unknown,
  Key = unknown,
  Discriminant extends string | undefined = string | undefined,
> {
  readonly kind: 'topic'
  readonly name: Name
  /** As declared; undefined leaves it to the usual names. */
  readonly discriminant: Discriminant
  readonly options: TopicOptions
  /** The name that handlers see where it is not that of the log: messages of a retry topic look like those of its source. */
  readonly shownAs?: string
  /** Stands for every topic whose name matches; such a one is no topic of the cluster itself. */
  readonly pattern?: RegExp
  /** Of a topic that was found by a pattern. */
  readonly match?: RegExpExecArray
  readonly hasTombstones: boolean
  readonly decodesAhead: boolean
  /** Validated and encoded; a promise when the schema validates asynchronously. @throws MR_APP_SCHEMA_MISMATCH, MR_APP_TOMBSTONE_REFUSED, MR_APP_UNENCODABLE */
  encodeValue(value: In): Buffer | null | Promise<Buffer | null>
  /** `where` names the message in errors. */
  decodeValue(raw: Buffer | null, where: Where): Out | Promise<Out>
  encodeKey(key: Key | null | undefined): Buffer | null
  decodeKey(raw: Buffer | null, where: Where): Key | null
}

export interface Where {
  readonly partition: number
  readonly offset: number
}

export type AnyTopic = Topic<string, never, unknown, never> | Topic

export type NameOf<T> = T extends { readonly name: infer N extends string } ? N : string
// From the members, since inference through the interface would compare keys as well.
export type InputOf<T> = T extends { encodeValue(value: infer In): unknown } ? In : unknown
export type ValueOf<T> = T extends { decodeValue(raw: Buffer | null, where: Where): infer R }
  ? Awaited<R>
  : unknown
export type KeyOf<T> = T extends { decodeKey(raw: Buffer | null, where: Where): infer K }
  ? K
  : unknown

declare const unset: unique symbol
type Unset = typeof unset

/** The same type, from which nothing is inferred. Unlike `NoInfer` it is gone once the type is known. */
type AsGiven<T> = [T][T extends unknown ? 0 : never]

/** What the form with an explicit type takes: null in the type and `tombstones` go together. */
type ExplicitOptions<Value> = Omit<
  TopicOptions,
  'value' | 'key' | 'tombstones' | 'discriminant'
> & {
  readonly value?: Codec<Value> | StandardSchemaV1<unknown, Value>
  readonly key?: Codec<string>
  /** Others than the usual one: declare the type with `value: json<Type>()` instead. */
  readonly discriminant?: UsualDiscriminant<NonNullable<Value>>
} & (null extends Value ? { readonly tombstones: true } : { readonly tombstones?: false })

/**
 * Declares a topic. Touches nothing: faults of name and settings are found when the app starts.
 *
 * The value that a schema returns is what is written, so a schema with a transform must accept its own output. The form
 * with a type of your own, `defineTopic<UserEvent>('users')`, promises the type without checking a message; and with it
 * the name is known as text alone, so that a list of topics cannot be told apart by `message.topic`.
 *
 * @example
 * const users = defineTopic('users', { value: z.object({ id: z.string() }), tombstones: true })
 */
export function defineTopic<Value = Unset>(
  // Chosen by an explicit type alone: without one the name is refused here, and the next form is taken.
  name: [Value] extends [Unset] ? never : string,
  ...options: null extends AsGiven<Value>
    ? [options: ExplicitOptions<AsGiven<Value>>]
    : [options?: ExplicitOptions<AsGiven<Value>>]
): Topic<string, AsGiven<Value>, AsGiven<Value>, string, undefined>
export function defineTopic<
  const Name extends string,
  V extends ValueSpec = Codec,
  K extends Codec<never, unknown> = Codec<string>,
  const Tombstones extends boolean = false,
  const Discriminant extends string = never,
>(
  name: Name,
  options?: TopicOptions<
    V,
    K & Codec,
    Tombstones,
    Discriminant & PropertyOf<NoInfer<OutputOfSpec<V>>>
  >,
): Topic<
  Name,
  InputOfSpec<V> | (Tombstones extends true ? null : never),
  OutputOfSpec<V> | (Tombstones extends true ? null : never),
  OutputOfSpec<K>,
  [Discriminant] extends [never] ? undefined : Discriminant
>
export function defineTopic(name: string, options: object = {}): Topic {
  return new DeclaredTopic(name, options)
}

/** Properties that every member has; any name where the value's type says nothing. */
type PropertyOf<Value> = unknown extends Value ? string : keyof NonNullable<Value> & string

class DeclaredTopic implements Topic {
  readonly kind = 'topic'
  readonly name: string
  readonly options: TopicOptions
  readonly discriminant: string | undefined
  readonly hasTombstones: boolean
  readonly decodesAhead: boolean
  readonly #value: Codec
  readonly #schema: StandardSchemaV1 | undefined
  readonly #key: Codec

  constructor(name: string, options: TopicOptions) {
    const value = options.value ?? json()
    this.name = name
    this.options = options
    this.discriminant = options.discriminant
    this.hasTombstones = options.tombstones === true
    this.decodesAhead = options.decode === 'ahead'
    this.#schema = '~standard' in value ? value : undefined
    this.#value = '~standard' in value ? json() : value
    this.#key = options.key ?? text()
  }

  encodeValue(value: unknown): Buffer | null | Promise<Buffer | null> {
    if (value === null) {
      if (this.hasTombstones) return null
      throw failure('MR_APP_TOMBSTONE_REFUSED', { where: this.name })
    }
    if (this.#schema === undefined) return this.#encode('value', this.#value, value)
    const checked = this.#schema['~standard'].validate(value)
    if (checked instanceof Promise)
      return checked.then((result) =>
        this.#encode('value', this.#value, this.#accept(result, this.name)),
      )
    return this.#encode('value', this.#value, this.#accept(checked, this.name))
  }

  decodeValue(raw: Buffer | null, where: Where): unknown {
    if (raw === null) {
      if (this.hasTombstones) return null
      const context = { where: this.#at(where), topic: this.name, ...where }
      throw failure('MR_APP_TOMBSTONE_REFUSED', context)
    }
    const value = this.#decode('value', this.#value, raw, where)
    if (this.#schema === undefined) return value
    const checked = this.#schema['~standard'].validate(value)
    if (checked instanceof Promise)
      return checked.then((result) => this.#accept(result, this.#at(where), where))
    return this.#accept(checked, this.#at(where), where)
  }

  encodeKey(key: unknown): Buffer | null {
    return key === null || key === undefined ? null : this.#encode('key', this.#key, key)
  }

  decodeKey(raw: Buffer | null, where: Where): unknown {
    return raw === null ? null : this.#decode('key', this.#key, raw, where)
  }

  #encode(part: string, codec: Codec, value: unknown): Buffer {
    try {
      return codec.encode(value)
    } catch (cause) {
      throw failure(
        'MR_APP_UNENCODABLE',
        { topic: this.name, part, reason: (cause as Error).message },
        { cause },
      )
    }
  }

  #decode(part: string, codec: Codec, raw: Buffer, where: Where): unknown {
    try {
      return codec.decode(raw)
    } catch (cause) {
      const reason = (cause as Error).message
      throw failure('MR_APP_UNDECODABLE', { topic: this.name, ...where, part, reason }, { cause })
    }
  }

  #accept(result: StandardSchemaV1.Result<unknown>, at: string, where?: Where): unknown {
    if (result.issues === undefined) return result.value
    const context = { where: at, issues: issueTexts(result.issues), topic: this.name, ...where }
    throw failure('MR_APP_SCHEMA_MISMATCH', context)
  }

  #at({ partition, offset }: Where): string {
    return `${this.name}/${partition}@${offset}`
  }
}

/** `address.city: expected string`, one an issue. */
export function issueTexts(issues: readonly StandardSchemaV1.Issue[]): string[] {
  return issues.map(({ path, message }) => {
    const steps = path?.map((step) => String(typeof step === 'object' ? step.key : step)) ?? []
    return steps.length === 0 ? message : `${steps.join('.')}: ${message}`
  })
}
