import { failure } from '../errors/index.ts'
import { nearest } from '../kit/index.ts'
import { defineEvent, events, type TelemetryEvent } from '../telemetry/index.ts'

type Events = typeof events
type PayloadOf<E> = E extends TelemetryEvent<infer P> ? P : never
type Listeners = {
  readonly [K in keyof Events as `on${Capitalize<K>}`]?: (payload: PayloadOf<Events[K]>) => void
}

const byName = new Map<string, TelemetryEvent<never>>(
  Object.values(events).map((event) => [event.name, event as TelemetryEvent<never>]),
)
const ownByName = new Map<string, TelemetryEvent<never>>()

/**
 * Listens to events of Millrace: by name (`consumer.failed`), or with an object of methods (`onConsumerFailed`).
 * Returns the function that ends the subscription. Events nobody listens to cost nothing.
 */
export interface Monitor {
  /** @throws MR_MONITOR_EVENT_UNKNOWN */
  subscribe(name: string, listener: (payload: never) => void): () => void
  subscribe(listeners: Listeners): () => void
  /**
   * Adds an event of the application's own, heard by `subscribe` and on the diagnostics channel `millrace:<name>`.
   * The same name gives the same event again.
   *
   * @param name - words of lower case with dots between, at least two: `orders.paid`
   * @throws MR_MONITOR_EVENT_TAKEN, MR_MONITOR_EVENT_NAME
   * @example
   * const orderPaid = monitor.register<{ id: string; cents: number }>('orders.paid', 'An order was paid.')
   * monitor.subscribe('orders.paid', ({ cents }: { cents: number }) => console.log(cents))
   * orderPaid.publish({ id: '7', cents: 1200 })
   */
  register<P>(name: string, about: string): TelemetryEvent<P>
  /** Names of every event: those of Millrace first, then those that were registered. */
  readonly names: readonly string[]
}

export const monitor: Monitor = {
  subscribe(what: string | Listeners, listener?: (payload: never) => void) {
    if (typeof what === 'string') return eventOf(what).subscribe(listener ?? (() => {}))
    // All are looked up before any is listened to: a wrong name leaves nothing behind.
    const pairs = Object.entries(what).map(([method, one]) => {
      const key = method.replace(/^on([A-Z])/, (_, first: string) => first.toLowerCase())
      const event = events[key as keyof Events] as TelemetryEvent<never> | undefined
      if (event === undefined) throw unknown(method, Object.keys(events).map(methodOf))
      return [event, one] as const
    })
    const ends = pairs.map(([event, one]) => event.subscribe(one))
    return () => {
      for (const end of ends) end()
    }
  },
  register<P>(name: string, about: string): TelemetryEvent<P> {
    if (byName.has(name)) throw failure('MR_MONITOR_EVENT_TAKEN', { name })
    if (!/^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/.test(name))
      throw failure('MR_MONITOR_EVENT_NAME', { name })
    const known = ownByName.get(name)
    if (known !== undefined) return known
    const event = defineEvent<P>(name, about)
    ownByName.set(name, event as TelemetryEvent<never>)
    return event
  },
  get names() {
    return [...byName.keys(), ...ownByName.keys()]
  },
}

function eventOf(name: string): TelemetryEvent<never> {
  const event = byName.get(name) ?? ownByName.get(name)
  if (event === undefined) throw unknown(name, monitor.names)
  return event
}

function methodOf(key: string): string {
  return `on${key.charAt(0).toUpperCase()}${key.slice(1)}`
}

function unknown(name: string, known: Iterable<string>): Error {
  return failure('MR_MONITOR_EVENT_UNKNOWN', { name, near: nearest(name, known) })
}
