import { failure } from '../../errors/index.ts'
import type { Context } from '../context/context.ts'
import type { Message } from '../message/message.ts'
import { outcomeOf } from '../outcome.ts'
import type { Sendable } from '../produce/sendable.ts'
import type { AnyTopic } from '../topic/define-topic.ts'

/** One call of a handler, as middleware sees it. */
export interface Job {
  readonly context: Context
  readonly topic: string
  readonly partition: number
  /** At least one; exactly one in the form `each`. */
  readonly messages: readonly Message[]
}

/** A message on its way out, before it is validated. */
export interface Outgoing {
  readonly topic: AnyTopic | string
  readonly message: Sendable<AnyTopic | string>
}

export interface MiddlewareLayers {
  readonly name?: string
  /** Around each handler call. The result is the outcome. */
  readonly consume?: (job: Job, next: () => Promise<unknown>) => unknown
  /** Around each send of the app, before validation; `next` may be given a changed message. App level only. */
  readonly send?: (outgoing: Outgoing, next: (changed?: Outgoing) => Promise<unknown>) => unknown
  /** After a fetch, coordinates alone: nothing is decoded unless the layer touches it. */
  readonly receive?: (messages: readonly Message[], next: () => Promise<unknown>) => unknown
}

/**
 * Stands around handler calls (a plain function), or around sends and fetches too (an object). Return what `next()`
 * gives, or an outcome of your own: neither is an error, so that a forgotten call loses nothing.
 */
export type Middleware = NonNullable<MiddlewareLayers['consume']> | MiddlewareLayers

export type Call = (job: Job) => unknown

/** Outermost first. Nothing is wrapped when there is none. */
export function composeConsume(middleware: readonly Middleware[], handler: Call): Call {
  return middleware.reduceRight<Call>((inner, layer) => {
    const consume = typeof layer === 'function' ? layer : layer.consume
    return consume === undefined ? inner : around(consume, layer.name ?? '', inner)
  }, handler)
}

function around(layer: NonNullable<MiddlewareLayers['consume']>, name: string, inner: Call): Call {
  return async (job) => {
    let isCalled = false
    const returned = await layer(job, async () => {
      isCalled = true
      return inner(job)
    })
    if (!isCalled && outcomeOf(returned) === undefined)
      throw failure('MR_APP_MIDDLEWARE_SILENT', { name: name === '' ? 'without a name' : name })
    return returned
  }
}

/** The `receive` layers as one call, or undefined when there are none. */
export function composeReceive(
  middleware: readonly Middleware[],
): ((messages: readonly Message[]) => Promise<unknown>) | undefined {
  const layers = middleware.flatMap((layer) =>
    typeof layer === 'function' || layer.receive === undefined ? [] : [layer.receive],
  )
  if (layers.length === 0) return undefined
  return (messages) =>
    layers.reduceRight<() => Promise<unknown>>(
      (next, layer) => async () => layer(messages, next),
      () => Promise.resolve(),
    )()
}

type SendChain = <R>(outgoing: Outgoing, last: (outgoing: Outgoing) => Promise<R>) => Promise<R>

/** The `send` layers, outermost first, or undefined when there are none. The last step is given with each message. */
export function composeSend(middleware: readonly Middleware[]): SendChain | undefined {
  let chain: SendChain | undefined
  for (const layer of middleware.toReversed()) {
    if (typeof layer === 'function' || layer.send === undefined) continue
    chain = aroundSend(layer.send, layer.name ?? 'of send', chain)
  }
  return chain
}

function aroundSend(
  send: NonNullable<MiddlewareLayers['send']>,
  name: string,
  inner: SendChain | undefined,
): SendChain {
  return async <R>(outgoing: Outgoing, last: (outgoing: Outgoing) => Promise<R>) => {
    let sent: { readonly result: R } | undefined
    await send(outgoing, async (changed = outgoing) => {
      sent = { result: await (inner === undefined ? last(changed) : inner(changed, last)) }
      return sent.result
    })
    if (sent === undefined) throw failure('MR_APP_MIDDLEWARE_SILENT', { name })
    return sent.result
  }
}
