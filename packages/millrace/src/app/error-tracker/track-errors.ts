import { events } from '../../telemetry/index.ts'
import type { Middleware, MiddlewareLayers } from '../middleware/middleware.ts'
import { reportOf, type ErrorReport } from './report.ts'

type Told = NonNullable<MiddlewareLayers['error']>

/** Layers that are told, and by how many workers and producers of this process. */
const users = new Map<Told, number>()
/** Told already: one error may end a whole queue of messages, and is an event for each of them. */
let told = new WeakSet<object>()
let end: (() => void) | undefined

/**
 * Tells every error once to the `error` layers of an app. Errors belong to the process: two workers of one app tell
 * its layers once together. Returns what ends it.
 */
export function trackErrors(middleware: readonly Middleware[]): () => void {
  const layers = middleware.flatMap((layer) =>
    typeof layer === 'object' && layer.error !== undefined ? [layer.error] : [],
  )
  for (const layer of layers) users.set(layer, (users.get(layer) ?? 0) + 1)
  if (layers.length > 0) end ??= events.error.subscribe(tell)
  let hasEnded = false
  return () => {
    if (hasEnded) return
    hasEnded = true
    for (const layer of layers) {
      const left = (users.get(layer) ?? 1) - 1
      if (left === 0) users.delete(layer)
      else users.set(layer, left)
    }
    if (users.size > 0) return
    end?.()
    end = undefined
    told = new WeakSet()
  }
}

function tell(happened: { readonly type: string; readonly error: unknown }): void {
  const { error } = happened
  if (typeof error === 'object' && error !== null) {
    if (told.has(error)) return
    told.add(error)
  }
  const report: ErrorReport = reportOf(happened)
  for (const layer of users.keys()) {
    try {
      layer(report)
    } catch (fault) {
      // Not as an error event, which would come back here.
      console.error('an error tracker failed:', fault)
    }
  }
}
