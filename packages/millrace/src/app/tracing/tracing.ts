import { createRequire } from 'node:module'

import type { Attributes, Context, Link, Span } from '@opentelemetry/api'

import { failure } from '../../errors/index.ts'
import { classOf, reasonOf } from '../owner/describe.ts'
import type { Job, MiddlewareLayers, Outgoing } from '../middleware/middleware.ts'
import { outcomeOf } from '../outcome.ts'
import { activate } from './active.ts'
import { asReceived, extract, inject } from './trace-context.ts'

/**
 * Spans of OpenTelemetry from publish to process, as its semantic conventions for messaging want them.
 *
 *     web request -> `send orders` (producer) -> `process orders` (consumer) -> `send mails` ...
 *
 * - A message takes its trace along in `traceparent` (W3C). One message continues the trace it came with; a batch
 *   begins its own and links to those of its messages, since a span has one parent.
 * - Without an SDK that is registered globally the spans are none, and no header is added.
 */

type Api = typeof import('@opentelemetry/api')

export interface TracingRules {
  readonly clientId: string
  readonly groupId: (group: string) => string
  readonly wireName: (topic: string) => string
}

/** More would be cut by an SDK's default limit. */
const mostLinks = 128

const require = createRequire(import.meta.url)

export function tracingLayers({ clientId, groupId, wireName }: TracingRules): MiddlewareLayers {
  const api = loadApi()
  activate(api)
  const tracer = api.trace.getTracer('millrace')
  const { SpanKind } = api
  const common: Attributes = { 'messaging.system': 'kafka', 'messaging.client.id': clientId }

  const consume = (
    { context: job, topic, partition, messages }: Job,
    next: () => unknown,
  ): unknown => {
    const active = api.context.active()
    const [first] = messages
    const isBatch = messages.length > 1
    const parent = first === undefined || isBatch ? active : extract(api, active, first.headers)
    const destination = wireName(topic)
    const attributes: Attributes = {
      ...common,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': destination,
      'messaging.destination.partition.id': String(partition),
      'messaging.consumer.group.name': groupId(job.group),
      'millrace.consumer': job.consumer,
      'millrace.attempt': job.attempt,
    }
    if (first !== undefined) attributes['messaging.kafka.offset'] = first.offset
    if (isBatch) attributes['messaging.batch.message_count'] = messages.length
    else if (first?.raw.value === null) attributes['messaging.kafka.message.tombstone'] = true
    else attributes['messaging.message.body.size'] = first?.raw.value?.length
    const links = isBatch ? linksOf(api, messages) : []
    const options = { kind: SpanKind.CONSUMER, attributes, links }
    const span = tracer.startSpan(`process ${destination}`, options, parent)
    return within(api, span, parent, async () => {
      const returned = await next()
      const outcome = outcomeOf(returned)
      if (outcome !== undefined) span.setAttribute('millrace.outcome', outcome.kind)
      return returned
    })
  }

  const send = (
    outgoing: Outgoing,
    next: (changed?: Outgoing) => Promise<unknown>,
  ): Promise<unknown> => {
    const { topic, message } = outgoing
    const destination = wireName(typeof topic === 'string' ? topic : topic.name)
    const active = api.context.active()
    // What was kept elsewhere meanwhile, as in an outbox, brings the trace of its time.
    const parent =
      api.trace.getSpan(active) === undefined
        ? extract(api, active, asReceived(message.headers))
        : active
    const attributes: Attributes = {
      ...common,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': destination,
    }
    const options = { kind: SpanKind.PRODUCER, attributes }
    const span = tracer.startSpan(`send ${destination}`, options, parent)
    const headers = inject(api, api.trace.setSpan(parent, span), message.headers)
    const changed = headers === undefined ? outgoing : { topic, message: { ...message, headers } }
    return within(api, span, parent, async () => {
      const sent = await next(changed)
      if (isSent(sent)) {
        span.setAttribute('messaging.destination.partition.id', String(sent.partition))
        if (sent.offset >= 0) span.setAttribute('messaging.kafka.offset', sent.offset)
      }
      return sent
    })
  }
  return { name: 'tracing', consume, send }
}

/**
 * Loaded here: who does not trace should not pay for it. It is the application's copy, since the registry of one
 * minor version is refused by a later one.
 */
function loadApi(): Api {
  try {
    return require('@opentelemetry/api') as Api
  } catch (cause) {
    throw failure('MR_TRACING_API_MISSING', {}, { cause })
  }
}

/** Runs it with the span as the active one, and ends the span with what came of it. */
async function within(
  api: Api,
  span: Span,
  parent: Context,
  work: () => Promise<unknown>,
): Promise<unknown> {
  try {
    return await api.context.with(api.trace.setSpan(parent, span), work)
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error))
    span.setAttribute('error.type', classOf(error))
    span.setStatus({ code: api.SpanStatusCode.ERROR, message: reasonOf(error) })
    throw error
  } finally {
    span.end()
  }
}

function linksOf(api: Api, messages: Job['messages']): Link[] {
  const links: Link[] = []
  for (const { headers, offset } of messages) {
    if (links.length === mostLinks) break
    const context = api.trace.getSpanContext(extract(api, api.ROOT_CONTEXT, headers))
    if (context !== undefined)
      links.push({ context, attributes: { 'messaging.kafka.offset': offset } })
  }
  return links
}

function isSent(value: unknown): value is { readonly partition: number; readonly offset: number } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'partition' in value &&
    'offset' in value &&
    typeof value.partition === 'number' &&
    value.partition >= 0 &&
    typeof value.offset === 'number'
  )
}
