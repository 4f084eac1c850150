import { failure, MillraceError, type ErrorCode, type ErrorContext } from '../../errors/index.ts'
import type { BrokerStats } from '../broker-stats.ts'
import type { StartBrokerOptions } from '../start-broker.ts'

/** What can cross to the thread: all but functions. */
export type BrokerThreadOptions = Omit<StartBrokerOptions, 'clock' | 'border'>

export type ToThread = { readonly kind: 'stats'; readonly id: number } | { readonly kind: 'stop' }

export type FromThread =
  | {
      readonly kind: 'ready'
      readonly port: number
      readonly address: string
      readonly clusterId: string
    }
  | { readonly kind: 'refused'; readonly error: WireError }
  | { readonly kind: 'event'; readonly name: string; readonly payload: Record<string, unknown> }
  | { readonly kind: 'stats'; readonly id: number; readonly stats: BrokerStats }
  | { readonly kind: 'stopped'; readonly error: WireError | undefined }

/** An error as it crosses: a clone would lose its class, code and hint. */
export interface WireError {
  readonly isWireError: true
  /** Undefined: none of ours. */
  readonly code: ErrorCode | undefined
  readonly context: Readonly<Record<string, unknown>>
  readonly text: string
}

export function toWire(error: unknown): WireError {
  const isOurs = error instanceof MillraceError
  return {
    isWireError: true,
    code: isOurs ? error.code : undefined,
    context: isOurs ? plain(error.context) : {},
    text: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }
}

/** Same class, code, message and hint; the stack of the thread is the cause. */
export function fromWire({ code, context, text }: WireError): Error {
  const cause = new Error(text)
  if (code !== undefined) return failure(code, context as ErrorContext<typeof code>, { cause })
  return failure('MR_BROKER_THREAD', { reason: text.split('\n', 1)[0] ?? text }, { cause })
}

export function eventToWire(payload: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [
      name,
      value instanceof Error ? toWire(value) : value,
    ]),
  )
}

export function eventFromWire(payload: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [
      name,
      isWireError(value) ? fromWire(value) : value,
    ]),
  )
}

function isWireError(value: unknown): value is WireError {
  return typeof value === 'object' && value !== null && 'isWireError' in value
}

function plain(context: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).map(([name, value]) => {
      const isPlain =
        value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)
      if (isPlain) return [name, value]
      return [name, Array.isArray(value) ? value.map(String) : JSON.stringify(value)]
    }),
  )
}
