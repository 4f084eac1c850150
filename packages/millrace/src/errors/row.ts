/** By who can act on it: the user of the API, the operator, the peer, or us. */
export type ErrorClass =
  | 'ConfigError'
  | 'UsageError'
  | 'ConnectionError'
  | 'TimeoutError'
  | 'AuthError'
  | 'KafkaError'
  | 'CodecError'
  | 'SchemaError'
  | 'HandlerError'
  | 'StorageError'
  | 'InternalError'

/** One row of the error table: classes, `docs/reference/errors.md` and retry policies read it. */
export interface ErrorRow {
  readonly class: ErrorClass
  /** May the same call succeed later, unchanged? */
  readonly retriable: boolean
  /** What happened and where. Never holds a secret or a message body. */
  // Contravariant on purpose: each row names the context it needs.
  readonly message: (context: never) => string
  /** What to do about it. */
  readonly hint: string
}

export type ErrorRows = Readonly<Record<`MR_${string}`, ErrorRow>>
