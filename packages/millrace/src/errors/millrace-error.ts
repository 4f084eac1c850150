import type { ErrorClass, ErrorRow } from './row.ts'
import { errorTable, type ErrorCode, type ErrorContext } from './table.ts'

const brand = Symbol.for('millrace.error')

/**
 * What every error of Millrace is. Match on `code`; the text is for people and may change.
 * Branded, so that `instanceof` works across two installed copies.
 */
export class MillraceError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  readonly retriable: boolean
  /** The facts behind the message: coordinates, limits, names. */
  readonly context: Readonly<Record<string, unknown>>
  readonly [brand]: ErrorClass

  constructor(code: ErrorCode, context: Readonly<Record<string, unknown>>, options?: ErrorOptions) {
    const row: ErrorRow = errorTable[code]
    super(row.message(context as never), options)
    this.name = row.class
    this.code = code
    this.hint = row.hint
    this.retriable =
      context['retriable'] === undefined ? row.retriable : context['retriable'] === true
    this.context = context
    this[brand] = row.class
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    const kind = brandOf(value)
    if (kind === undefined) return false
    return this === MillraceError || kind === this.name
  }
}

function brandOf(value: unknown): ErrorClass | undefined {
  if (typeof value !== 'object' || value === null || !(brand in value)) return undefined
  return value[brand] as ErrorClass
}

export class ConfigError extends MillraceError {}
export class UsageError extends MillraceError {}
export class ConnectionError extends MillraceError {}
export class TimeoutError extends MillraceError {}
export class AuthError extends MillraceError {}
/** An error code that a broker answered; `context` holds Kafka's `name` and `errorCode`. */
export class KafkaError extends MillraceError {}
export class CodecError extends MillraceError {}
export class SchemaError extends MillraceError {}
export class HandlerError extends MillraceError {}
export class StorageError extends MillraceError {}
export class InternalError extends MillraceError {}

const classByName = {
  ConfigError,
  UsageError,
  ConnectionError,
  TimeoutError,
  AuthError,
  KafkaError,
  CodecError,
  SchemaError,
  HandlerError,
  StorageError,
  InternalError,
} satisfies Record<ErrorClass, typeof MillraceError>

/**
 * The error of a row, of the row's class. `throw failure('MR_...', { ... }, { cause })`.
 * A `retriable` in the context overrides the row's (Kafka's codes bring their own).
 */
export function failure<C extends ErrorCode>(
  code: C,
  context: ErrorContext<C>,
  options?: ErrorOptions,
): MillraceError {
  const row: ErrorRow = errorTable[code]
  return new classByName[row.class](code, context as Readonly<Record<string, unknown>>, options)
}

/** True for an error of Millrace with this code, or any of them. */
export function isFailure(error: unknown, ...codes: readonly ErrorCode[]): error is MillraceError {
  if (!(error instanceof MillraceError)) return false
  return codes.length === 0 || codes.includes(error.code)
}
