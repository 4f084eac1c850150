import { failure } from '../../errors/index.ts'
import type { Context } from '../context/context.ts'
import type { ErrorReport } from '../error-tracker/report.ts'
import type { Message } from '../message/message.ts'
import { outcomeOf } from '../outcome.ts'
import type { Send, Sendable } from '../produce/sendable.ts'
import type { AnyTopic, Topic } from '../topic/define-topic.ts'

type MessageIn<T extends AnyTopic> = T extends AnyTopic ? Message<T> : never

/** One call of a handler, as middleware sees it. Typed by the topic where it stands around one consumer. */
export interface Job<T extends AnyTopic = Topic> {
  readonly context: Context
  readonly topic: string
  readonly partition: number
  /** At least one; exactly one in the form `each`. */
  readonly messages: readonly MessageIn<T>[]
}

/** A message on its way out, before it is validated. */
export interface Outgoing {
  readonly topic: AnyTopic | string
  readonly message: Sendable<AnyTopic | string>
}

export interface MiddlewareLayers<T extends AnyTopic = Topic> {
  readonly name?: string
  /**
   * Around each handler call. What it returns is the outcome; when that is nothing, what `next()` gave. Calling `next`
   * again runs the handler again.
   */
  readonly consume?: (job: Job<T>, next: () => Promise<unknown>) => unknown
  /**
   * Around each message on its way out, before validation; `next` may be given a changed one. On the app: everything the
   * producer sends. On a group or consumer: what its handlers send and respond with, before the app's layers see it.
   * For `enqueue` and buffers `next()` resolves at hand-over.
   */
  readonly send?: (outgoing: Outgoing, next: (changed?: Outgoing) => Promise<unknown>) => unknown
  /** After a fetch, coordinates alone: nothing is decoded unless the layer touches it. */
  readonly receive?: (messages: readonly MessageIn<T>[], next: () => Promise<unknown>) => unknown
  /** Told of each error of the process once; not around anything. App level only. */
  readonly error?: (report: ErrorReport) => void
}

/**
 * Stands around handler calls (a plain function), or around sends and fetches too (an object). Return what `next()`
 * gives, or an outcome of your own: neither is an error, so that a forgotten call loses nothing.
 */
export type Middleware<T extends AnyTopic = Topic> =
  | NonNullable<MiddlewareLayers<T>['consume']>
  | MiddlewareLayers<T>

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
    let running: Promise<unknown> | undefined
    let isSettled = false
    let result: unknown
    const returned = await layer(job, async () => {
      isSettled = false
      running = Promise.try(inner, job)
      try {
        result = await running
        return result
      } finally {
        isSettled = true
      }
    })
    if (running === undefined) {
      if (outcomeOf(returned) === undefined) throw silent(name)
      return returned
    }
    // Called and not awaited: the job is over when the handler is, and fails when it does.
    if (!isSettled) result = await running
    return returned === undefined ? result : returned
  }
}

function silent(name: string): Error {
  return failure('MR_APP_MIDDLEWARE_SILENT', { name: name === '' ? 'without a name' : name })
}

/** The `receive` layers as one call, or undefined when there are none. */
export function composeReceive(
  middleware: readonly Middleware[],
): ((messages: readonly Message[]) => Promise<unknown>) | undefined {
  const layers = middleware.filter(
    (layer): layer is MiddlewareLayers & { receive: object } =>
      typeof layer === 'object' && layer.receive !== undefined,
  )
  if (layers.length === 0) return undefined
  return (messages) =>
    layers.reduceRight<() => Promise<unknown>>(
      (inner, layer) => async () => {
        let isCalled = false
        const next = (): Promise<unknown> => {
          isCalled = true
          return inner()
        }
        await layer.receive(messages, next)
        if (!isCalled) throw silent(layer.name ?? 'of receive')
      },
      () => Promise.resolve(),
    )()
}

/** A message through layers to a last step, whose result it gives. */
export type SendChain = <R>(
  outgoing: Outgoing,
  last: (outgoing: Outgoing) => Promise<R>,
) => Promise<R>

/** The `send` layers, first one first, or undefined when there are none. The last step is given with each message. */
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
    if (sent === undefined) throw silent(name)
    return sent.result
  }
}

/** `send` layers, first one first, around a function that sends; undefined when there are none. */
export function sendingThrough(
  middleware: readonly Middleware[],
): ((send: Send) => Send) | undefined {
  const chain = composeSend(middleware)
  if (chain === undefined) return undefined
  return (send) => (topic, message) =>
    chain({ topic, message }, (outgoing) => send(outgoing.topic, outgoing.message))
}
