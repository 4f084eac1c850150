import { failure } from '../errors/index.ts'
import { nearest } from '../kit/index.ts'
import { events, type TelemetryEvent } from '../telemetry/index.ts'

type Events = typeof events
type PayloadOf<E> = E extends TelemetryEvent<infer P> ? P : never
type Listeners = {
  readonly [K in keyof Events as `on${Capitalize<K>}`]?: (payload: PayloadOf<Events[K]>) => void
}

const byName = new Map<string, TelemetryEvent<never>>(
  Object.values(events).map((event) => [event.name, event as TelemetryEvent<never>]),
)

/**
 * Listens to events of Millrace: by name (`consumer.failed`), or with an object of methods (`onConsumerFailed`).
 * Returns the function that ends the subscription. Events nobody listens to cost nothing.
 */
export interface Monitor {
  /** @throws MR_MONITOR_EVENT_UNKNOWN */
  subscribe(name: string, listener: (payload: never) => void): () => void
  subscribe(listeners: Listeners): () => void
  /** Every event: its name and when it happens. */
  readonly names: readonly string[]
}

export const monitor: Monitor = {
  subscribe(what: string | Listeners, listener?: (payload: never) => void) {
    if (typeof what === 'string') return eventOf(what).subscribe(listener ?? (() => {}))
    const ends = Object.entries(what).map(([method, one]) => {
      const key = method.replace(/^on([A-Z])/, (_, first: string) => first.toLowerCase())
      const event = events[key as keyof Events] as TelemetryEvent<never> | undefined
      if (event === undefined) throw unknown(method, Object.keys(events).map(methodOf))
      return event.subscribe(one)
    })
    return () => {
      for (const end of ends) end()
    }
  },
  get names() {
    return [...byName.keys()]
  },
}

function eventOf(name: string): TelemetryEvent<never> {
  const event = byName.get(name)
  if (event === undefined) throw unknown(name, byName.keys())
  return event
}

function methodOf(key: string): string {
  return `on${key.charAt(0).toUpperCase()}${key.slice(1)}`
}

function unknown(name: string, known: Iterable<string>): Error {
  return failure('MR_MONITOR_EVENT_UNKNOWN', { name, near: nearest(name, known) })
}
