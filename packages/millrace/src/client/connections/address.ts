import { failure } from '../../errors/index.ts'

/** Where a broker listens. The node id is -1 while only the address is known. */
export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

const defaultPort = 9092

/**
 * Reads `host:port`, `host` (port 9092), `[::1]:9092`, each also behind a scheme (`kafka://`, `kafka+ssl://`).
 * @throws MR_CLIENT_ADDRESS_INVALID
 */
export function parseAddress(text: string): BrokerAddress {
  const bare = text.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/]+))(?::(\d{1,5}))?\/?$/i.exec(bare)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? defaultPort : Number(match[3])
  if (host === undefined || port < 1 || port > 65_535)
    throw failure('MR_CLIENT_ADDRESS_INVALID', { address: text })
  return { nodeId: -1, host, port, rack: null }
}

/** `host:port` as people write it; IPv6 hosts in brackets. */
export function formatAddress({ host, port }: Pick<BrokerAddress, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
