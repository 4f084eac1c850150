import type { Decoded, Encodable, Shape } from './field.ts'
import { Message } from './message.ts'

/** One Kafka API: both directions, every version that Millrace speaks. */
export interface Api<Request extends Shape = Shape, Response extends Shape = Shape> {
  readonly key: number
  /** Kafka's name, such as `OffsetCommit`. */
  readonly name: string
  readonly versions: readonly [min: number, max: number]
  /** The first flexible version (KIP-482); null: none. */
  readonly flexible: number | null
  readonly request: Message<Request>
  readonly response: Message<Response>
}

export type AnyApi = Api

/** The decoded request: every field, whatever the version. */
export type RequestOf<A extends AnyApi> = Decoded<A['request']['shape']>
export type ResponseOf<A extends AnyApi> = Decoded<A['response']['shape']>
/** A request to encode: what is left out holds Kafka's default. */
export type RequestInput<A extends AnyApi> = Encodable<A['request']['shape']>
export type ResponseInput<A extends AnyApi> = Encodable<A['response']['shape']>

/** Declares an API by the fields of its request and response, in the order of the wire. */
export function defineApi<const Request extends Shape, const Response extends Shape>(options: {
  readonly key: number
  readonly name: string
  readonly versions: readonly [min: number, max: number]
  readonly flexible: number | null
  readonly request: Request
  readonly response: Response
}): Api<Request, Response> {
  const { key, name, versions, flexible } = options
  return {
    key,
    name,
    versions,
    flexible,
    request: new Message({ name: `${name} request`, shape: options.request, versions, flexible }),
    response: new Message({
      name: `${name} response`,
      shape: options.response,
      versions,
      flexible,
    }),
  }
}
