import { channel, type Channel } from 'node:diagnostics_channel'

/** One event of the closed list. It travels on the diagnostics channel `millrace:<name>`. */
export interface TelemetryEvent<P> {
  readonly name: string
  /** When it happens, in one line: the documentation is made from it. */
  readonly about: string
  /** Check this before building a payload on a hot path: an event nobody hears costs one look. */
  readonly isHeard: boolean
  publish(payload: P): void
  /** Returns the function that ends the subscription. */
  subscribe(listener: (payload: P) => void): () => void
}

export function defineEvent<P>(name: string, about: string): TelemetryEvent<P> {
  const wire: Channel = channel(`millrace:${name}`)
  return {
    name,
    about,
    get isHeard() {
      return wire.hasSubscribers
    },
    publish(payload) {
      if (wire.hasSubscribers) wire.publish(payload)
    },
    subscribe(listener) {
      const heard = (message: unknown): void => listener(message as P)
      wire.subscribe(heard)
      return () => void wire.unsubscribe(heard)
    },
  }
}
