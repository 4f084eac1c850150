import type { AnyApi, RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { BrokerCore } from '../broker-core.ts'

/** Who asks. One per connection. */
export interface Peer {
  /** Numbers the connections since start, from 1. */
  readonly id: number
  /** Its address, as groups show it (`/127.0.0.1` in Kafka's writing). */
  readonly host: string
  /** Where this peer reaches the broker; told in metadata. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** Aborts when the connection has gone: whoever waits for it may stop. */
  readonly signal: AbortSignal
  /** Takes nothing more from it, and closes once what is answered has left. */
  finish(reason: string): void
}

/** One request's surroundings. */
export interface Call {
  readonly version: number
  /** Empty when the client gave none. */
  readonly clientId: string
  readonly peer: Peer
  readonly broker: BrokerCore
}

/** The answer comes later, but its effect is in place: the connection's next request may start (kept in order). */
export class Later<R> {
  readonly promise: Promise<R>
  constructor(promise: Promise<R>) {
    this.promise = promise
  }
}

/** Returned instead of an answer: none is sent (acks=0). */
export const noAnswer: unique symbol = Symbol('no answer')
/** Returned instead of an answer: the connection is closed, as Kafka does where it has no way to tell an error. */
export const hangUp: unique symbol = Symbol('hang up')

export type Outcome<R> = R | Promise<R> | Later<R> | typeof noAnswer | typeof hangUp

export interface Handler {
  readonly api: AnyApi
  /** Versions that are served. */
  readonly versions: readonly [min: number, max: number]
  /** Least version in the ApiVersions answer, where that differs from the least one served. */
  readonly advertiseFrom: number
  readonly handle: (request: unknown, call: Call) => Outcome<object>
}

/**
 * Declares what the broker does with one API. Listed in `handlers.ts`, and only there; ApiVersions is
 * derived from that list.
 */
export function defineHandler<A extends AnyApi>(
  api: A,
  options: {
    readonly versions: readonly [min: number, max: number]
    readonly advertiseFrom?: number
  },
  handle: (request: RequestOf<A>, call: Call) => Outcome<ResponseInput<A>>,
): Handler {
  return {
    api,
    versions: options.versions,
    advertiseFrom: options.advertiseFrom ?? options.versions[0],
    // The dispatcher decodes with this very API, so the request is what the handler takes.
    handle: handle as Handler['handle'],
  }
}
