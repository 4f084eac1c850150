import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import {
  apis,
  decodeRequest,
  encodeResponse,
  readRequestHeader,
  type RequestHeader,
} from '../../protocol/index.ts'
import { hangUp, Later, noAnswer, type Handler, type Peer } from '../api/define-handler.ts'
import type { BrokerCore } from '../broker-core.ts'
import { passBorder, type Border } from './border.ts'

/** What a connection does with one frame. */
export interface Exchange {
  /** The connection's next request may start before this one is answered. */
  readonly isPipelined: boolean
  /** Slices to write, size included; `none` for no answer at all. */
  readonly answer: readonly Buffer[] | 'none' | Promise<readonly Buffer[]>
}

export interface Dispatcher {
  /**
   * Runs the handler of one request. A synchronous throw or a rejection means: close the connection.
   * @throws MR_PROTOCOL_MALFORMED, MR_BROKER_REQUEST_REFUSED
   */
  dispatch(frame: Buffer, peer: Peer): Exchange
}

const apiVersionsKey = apis.apiVersions.key
const unsupportedVersion = 35

/**
 * From frame to handler and back; what a test puts in between is a `Border`.
 *
 * - An unknown key or version closes the connection (there is no layout to answer in), except for
 *   ApiVersions, which answers in the layout of v0 with code 35 and without reading the body (KIP-511).
 */
export function createDispatcher(
  handlers: ReadonlyMap<number, Handler>,
  broker: BrokerCore,
  border?: Border,
): Dispatcher {
  const refusedApiVersions = (correlationId: number): Exchange => ({
    isPipelined: false,
    answer: encodeResponse(apis.apiVersions, 0, correlationId, {
      errorCode: unsupportedVersion,
      apiKeys: broker.apiRanges,
    }),
  })

  const run = (handler: Handler, header: RequestHeader, frame: Buffer, peer: Peer): Exchange => {
    const { api } = handler
    const { apiVersion, correlationId } = header
    const encode = (response: object): readonly Buffer[] =>
      encodeResponse(api, apiVersion, correlationId, response)

    const request = decodeRequest(api, apiVersion, frame, header.bodyOffset)
    if (border !== undefined) {
      const at = { request, version: apiVersion, clientId: header.clientId ?? '' }
      const verdict = border({ ...at, api, connection: peer.id })
      if (verdict !== undefined) {
        const answer = passBorder(verdict, handler, { ...at, correlationId, peer, broker })
        return { isPipelined: verdict.lateBy !== undefined, answer }
      }
    }
    const outcome = handler.handle(request, {
      version: apiVersion,
      clientId: header.clientId ?? '',
      peer,
      broker,
    })
    if (outcome === noAnswer) return { isPipelined: true, answer: 'none' }
    if (outcome === hangUp) throw refused(api.name, apiVersion, 'nothing could be answered')
    if (outcome instanceof Later) return { isPipelined: true, answer: outcome.promise.then(encode) }
    if (outcome instanceof Promise) return { isPipelined: false, answer: outcome.then(encode) }
    return { isPipelined: false, answer: encode(outcome) }
  }

  return {
    dispatch(frame, peer) {
      const header = readRequestHeader(frame)
      const { apiKey, apiVersion, correlationId } = header
      const handler = handlers.get(apiKey)
      const isServed =
        handler !== undefined &&
        apiVersion >= handler.versions[0] &&
        apiVersion <= handler.versions[1]
      if (!isServed) {
        if (apiKey === apiVersionsKey) return refusedApiVersions(correlationId)
        throw refused(
          handler?.api.name ?? `API key ${apiKey}`,
          apiVersion,
          handler === undefined
            ? 'it is not served here'
            : `versions ${handler.versions[0]} to ${handler.versions[1]} are served`,
        )
      }
      if (!events.brokerRequest.isHeard) return run(handler, header, frame, peer)
      return timed(run(handler, header, frame, peer), handler, header, frame, peer, broker)
    },
  }
}

/** Costs nothing while nobody listens. */
function timed(
  exchange: Exchange,
  handler: Handler,
  header: RequestHeader,
  frame: Buffer,
  peer: Peer,
  broker: BrokerCore,
): Exchange {
  const startMs = broker.clock.monotonicMs()
  const publish = (): void =>
    events.brokerRequest.publish({
      connection: peer.id,
      clientId: header.clientId ?? '',
      api: handler.api.name,
      version: header.apiVersion,
      bytes: frame.length,
      durationMs: broker.clock.monotonicMs() - startMs,
    })
  if (!(exchange.answer instanceof Promise)) {
    publish()
    return exchange
  }
  return {
    isPipelined: exchange.isPipelined,
    answer: exchange.answer.finally(publish),
  }
}

function refused(api: string, version: number, reason: string): Error {
  return failure('MR_BROKER_REQUEST_REFUSED', { api, version, reason })
}
