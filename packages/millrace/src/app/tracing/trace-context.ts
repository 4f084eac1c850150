import type { Context, SpanContext, TextMapGetter, TextMapSetter } from '@opentelemetry/api'

import type { Header } from '../ports.ts'
import type { HeadersInput } from '../produce/sendable.ts'

type Api = typeof import('@opentelemetry/api')

type Pair = readonly [name: string, value: string | Uint8Array | null]

/** W3C Trace Context: what is written when the application has registered no propagator of its own. */
const w3cFields = ['traceparent', 'tracestate']

const getter: TextMapGetter<readonly Header[]> = {
  keys: (headers) => headers.map(([name]) => name),
  get(headers, name) {
    const found = headers.findLast(([own, value]) => own === name && value !== null)
    return found?.[1]?.toString()
  },
}

const setter: TextMapSetter<Pair[]> = {
  set: (headers, name, value) => void headers.push([name, value]),
}

/** The trace that a message came with, on top of `base`. */
export function extract(api: Api, base: Context, headers: readonly Header[]): Context {
  if (api.propagation.fields().length > 0) return api.propagation.extract(base, headers, getter)
  const parsed = parseTraceparent(getter.get(headers, 'traceparent'))
  if (parsed === undefined) return base
  const state = getter.get(headers, 'tracestate')
  return api.trace.setSpanContext(base, {
    ...parsed,
    isRemote: true,
    ...(typeof state === 'string' ? { traceState: api.createTraceState(state) } : {}),
  })
}

/** The headers with the trace of `context` instead of one that they had. */
export function inject(
  api: Api,
  context: Context,
  headers: HeadersInput | undefined,
): HeadersInput | undefined {
  const span = api.trace.getSpanContext(context)
  if (span === undefined || !api.isSpanContextValid(span)) return headers
  const own = api.propagation.fields()
  const fields = own.length > 0 ? own : w3cFields
  const pairs = pairsOf(headers).filter(([name]) => !fields.includes(name))
  if (own.length > 0) api.propagation.inject(context, pairs, setter)
  else {
    pairs.push(['traceparent', formatTraceparent(span)])
    const state = span.traceState?.serialize() ?? ''
    if (state !== '') pairs.push(['tracestate', state])
  }
  return pairs
}

/** Headers of a message on its way out, as those of one that came. */
export function asReceived(headers: HeadersInput | undefined): readonly Header[] {
  return pairsOf(headers).map(([name, value]) => [
    name,
    value === null ? null : Buffer.from(value as string),
  ])
}

function pairsOf(headers: HeadersInput | undefined): Pair[] {
  if (headers === undefined) return []
  if (Array.isArray(headers)) return [...(headers as readonly Pair[])]
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as Pair[1][]) : [value as Pair[1]]).map((one): Pair => [
      name,
      one,
    ]),
  )
}

/** W3C Trace Context 3.2: `version-traceid-parentid-flags`; later versions may have more behind. */
export function parseTraceparent(text: unknown): SpanContext | undefined {
  if (typeof text !== 'string') return undefined
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text)
  if (match === null) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = match
  const isForbidden = version === 'ff' || (version === '00' && more !== undefined)
  if (isForbidden || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 }
}

export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${(traceFlags & 1).toString(16)}`
}
