import { failure, MillraceError, type ErrorCode, type ErrorContext } from '../../errors/index.ts'

/** An error as it crosses: a clone would lose its class, its code and what it carries. */
export interface WireError {
  /** One of ours; undefined for others. */
  readonly own: { readonly code: ErrorCode; readonly context: object } | undefined
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** A code of somebody else's, such as Node's. */
  readonly code: string | number | undefined
  /** Names of its classes, the nearest first. */
  readonly classes: readonly string[]
  readonly cause: WireError | undefined
}

const mostCauses = 5

export function errorToWire(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error))
    return {
      own: undefined,
      name: 'Error',
      message:
        typeof error === 'string'
          ? error
          : `something that is no error was thrown: ${typeof error}`,
      stack: undefined,
      code: undefined,
      classes: [],
      cause: undefined,
    }
  const { code } = error as { readonly code?: unknown }
  const hasCause = error.cause !== undefined && depth < mostCauses
  return {
    own: error instanceof MillraceError ? ownOf(error) : undefined,
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    classes: classesOf(error),
    cause: hasCause ? errorToWire(error.cause, depth + 1) : undefined,
  }
}

/**
 * An error of ours is one again, with its class and hint. Others get the class of that name among `known`, so that a
 * consumer's `nonRetryable` and `critical` still match them.
 */
export function errorFromWire(wire: WireError, known: ReadonlyMap<string, object> = none): Error {
  const options = wire.cause === undefined ? undefined : { cause: errorFromWire(wire.cause, known) }
  const { own } = wire
  if (own !== undefined) {
    const error = failure(own.code, own.context as ErrorContext<typeof own.code>, options)
    return Object.assign(error, wire.stack === undefined ? {} : { stack: wire.stack })
  }
  const error = new Error(wire.message, options)
  const prototype = wire.classes.map((name) => known.get(name)).find((found) => found !== undefined)
  if (prototype !== undefined) Object.setPrototypeOf(error, prototype)
  define(error, 'name', wire.name)
  if (wire.stack !== undefined) define(error, 'stack', wire.stack)
  if (wire.code !== undefined) define(error, 'code', wire.code)
  return error
}

const none: ReadonlyMap<string, object> = new Map()

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, {
    value,
    writable: true,
    configurable: true,
    enumerable: key === 'code',
  })
}

function ownOf(error: MillraceError): WireError['own'] {
  try {
    return { code: error.code, context: structuredClone(error.context) }
  } catch {
    return undefined
  }
}

function classesOf(error: object): string[] {
  const names: string[] = []
  for (
    let prototype: unknown = Object.getPrototypeOf(error);
    typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const { name } = (prototype as { readonly constructor: { readonly name: string } }).constructor
    if (name !== '' && name !== 'Error') names.push(name)
  }
  return names
}
