import { isIPv6, type Socket } from 'node:net'
import { failure } from '../../errors/index.ts'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/**
 * Where a client reaches the broker. TCP does not carry the name that was dialled, so without a
 * configured one it is `localhost` for a peer on this machine, else the address it came in by.
 */
export function advertisedTo(
  socket: Socket,
  port: number,
  options: { readonly advertised: HostPort | undefined; readonly loopbackName: string },
): HostPort {
  if (options.advertised !== undefined) return options.advertised
  const address = (socket.localAddress ?? '127.0.0.1').replace(/^::ffff:/, '')
  return { host: isLoopback(address) ? options.loopbackName : address, port }
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address === 'localhost' || address.startsWith('127.')
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/**
 * Reads `host`, `host:port`, `[v6]:port`.
 * @throws MR_BROKER_ADVERTISED
 */
export function parseAdvertised(text: string, defaultPort: number): HostPort {
  if (isIPv6(text) && !isWildcard(text)) return { host: text, port: defaultPort }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? defaultPort : Number(match[3])
  if (host === undefined || host === '' || port < 1 || port > 65_535 || isWildcard(host))
    throw failure('MR_BROKER_ADVERTISED', { advertised: text })
  return { host, port }
}
