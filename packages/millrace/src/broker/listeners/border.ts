import { failure } from '../../errors/index.ts'
import { encodeResponse, type AnyApi } from '../../protocol/index.ts'
import { hangUp, Later, noAnswer, type Handler, type Peer } from '../api/define-handler.ts'
import type { BrokerCore } from '../broker-core.ts'

/** A request as it stands between its connection and its handler. */
export interface BorderCall {
  readonly api: AnyApi
  readonly version: number
  readonly clientId: string
  /** Numbers the connections since start, from 1. */
  readonly connection: number
  readonly request: object
}

/** What happens to a request besides, or instead of, being handled. Nothing given: it is handled as usual. */
export interface BorderVerdict {
  /** Waited for before anything else. */
  readonly wait?: Promise<void>
  /** Answers in place of the handler, whose effect then never happens. */
  readonly instead?: () => object
  /** Changes what the handler answers; its effect has happened. */
  readonly change?: (response: object) => object
  /** The connection is closed unanswered: before the handler ran, or after. */
  readonly close?: 'before' | 'after'
  /** The connection is closed after so many bytes of the answer, its size included. */
  readonly cutAfter?: number
  /** The answer never leaves; the connection goes on. */
  readonly drop?: boolean
  /** The answer leaves so much later, while the connection's next requests are worked on. */
  readonly lateBy?: Promise<void>
}

/** What tests put between connections and handlers. A broker without one pays a comparison a request. */
export type Border = (call: BorderCall) => BorderVerdict | undefined

/** One request under a verdict. Unless its answer is `lateBy`, its connection does nothing else meanwhile. */
export async function passBorder(
  verdict: BorderVerdict,
  handler: Handler,
  at: {
    readonly request: object
    readonly version: number
    readonly correlationId: number
    readonly clientId: string
    readonly peer: Peer
    readonly broker: BrokerCore
  },
): Promise<readonly Buffer[]> {
  const { request, version, correlationId, clientId, peer, broker } = at
  const { api } = handler
  const closed = (): Error =>
    failure('MR_BROKER_REQUEST_REFUSED', { api: api.name, version, reason: 'a test closes it' })
  await verdict.wait
  if (verdict.close === 'before') throw closed()
  if (verdict.instead !== undefined)
    return encodeResponse(api, version, correlationId, verdict.instead())
  const outcome = handler.handle(request, { version, clientId, peer, broker })
  const answer = outcome instanceof Later ? await outcome.promise : await outcome
  if (verdict.close === 'after' || answer === hangUp) throw closed()
  if (answer === noAnswer) {
    // The frame's memory is used again once there is an answer, be it none; its batches must have left it.
    await broker.store.written()
    return []
  }
  await verdict.lateBy
  if (verdict.drop === true) return []
  const slices = encodeResponse(api, version, correlationId, verdict.change?.(answer) ?? answer)
  if (verdict.cutAfter === undefined) return slices
  // By the next turn what is answered here has been handed to the socket.
  setImmediate(() => peer.finish('a test cuts it'))
  return [Buffer.concat(slices).subarray(0, verdict.cutAfter)]
}
