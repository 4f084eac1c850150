import type { HeadersInput } from '../produce/sendable.ts'
import { inject } from './trace-context.ts'

type Api = typeof import('@opentelemetry/api')

/** Set when a configuration of this process has switched tracing on. */
let active: Api | undefined

export function activate(api: Api): void {
  active = api
}

/**
 * The message with the trace of the running code in its headers, for what is kept before it is sent; as it is when
 * tracing is off.
 */
export function traced<M extends { readonly headers?: HeadersInput }>(message: M): M {
  if (active === undefined) return message
  const headers = inject(active, active.context.active(), message.headers)
  return headers === undefined ? message : { ...message, headers }
}
