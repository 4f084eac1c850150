import { channel, type Channel } from 'node:diagnostics_channel'

/** One event of the closed list. It travels on the diagnostics channel `millrace:<name>`. */
export interface TelemetryEvent<P> {
  readonly name: string
  /** When it happens, in one line: the documentation is made from it. */
  readonly about: string
  /** Check this before building a payload on a hot path: an event nobody hears costs one look. */
  readonly isHeard: boolean
  publish(payload: P): void
  /**
   * Returns the function that ends the subscription. A listener that throws, or whose promise rejects, disturbs nobody:
   * its error is an event `error` of type `listener.<name>`.
   */
  subscribe(listener: (payload: P) => void): () => void
}

const errorName = 'error'

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
      // Node would throw what a subscriber throws as an uncaught exception, which ends a worker.
      const heard = (message: unknown): void => {
        try {
          const returned: unknown = listener(message as P)
          if (returned instanceof Promise) returned.catch((fault: unknown) => tell(name, fault))
        } catch (fault) {
          tell(name, fault)
        }
      }
      wire.subscribe(heard)
      return () => void wire.unsubscribe(heard)
    },
  }
}

function tell(name: string, fault: unknown): void {
  // A listener of errors that throws would hear of itself for ever.
  if (name === errorName) console.error(`a listener of the event ${name} failed:`, fault)
  else channel(`millrace:${errorName}`).publish({ type: `listener.${name}`, error: fault })
}
