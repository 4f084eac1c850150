import { failure } from '../errors/index.ts'
import { systemClock, type Clock } from '../kit/index.ts'
import { ConnectionPool, parseAddress, type Dial, type TlsOptions } from './connections/index.ts'
import { MetadataCache } from './metadata/index.ts'

export interface ClientOptions {
  /** Where to start: `localhost:9092`; the rest of the cluster is learnt from there. */
  readonly brokers: readonly string[]
  /** Names this client in the brokers' logs and quotas. Default `millrace`. */
  readonly clientId?: string
  readonly clock?: Clock
  /** Default 30 s: a request not answered by then closes its connection. */
  readonly requestTimeoutMs?: number
  /** Default 10 s. */
  readonly connectTimeoutMs?: number
  /** Bound of every call that retries by itself; default 60 s. */
  readonly apiTimeoutMs?: number
  readonly tls?: TlsOptions
  /** For tests: what opens a byte stream to a broker. Default: sockets. */
  readonly dial?: Dial
  /** For tests: chance, 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
}

/** What the parts of a client share. */
export interface ClientCore {
  readonly clientId: string
  readonly clock: Clock
  readonly apiTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly connections: ConnectionPool
  readonly metadata: MetadataCache
}

export interface Client extends ClientCore, AsyncDisposable {
  /**
   * Closes what was opened from this client, then its connections. Idempotent.
   * @param options.timeoutMs - bound of the whole; default 30 s
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

const softwareVersion = '0.1.0'

/**
 * A client of a Kafka cluster. Returns at once; connections open when something needs them.
 * @throws MR_CLIENT_ADDRESS_INVALID
 */
export function openClient(options: ClientOptions): Client {
  const { clientId = 'millrace', clock = systemClock } = options
  const requestTimeoutMs = options.requestTimeoutMs ?? 30_000
  const apiTimeoutMs = options.apiTimeoutMs ?? 60_000
  const bootstrap = options.brokers.map(parseAddress)
  if (bootstrap.length === 0) throw failure('MR_CLIENT_ADDRESS_INVALID', { address: '(none)' })
  const connections = new ConnectionPool(bootstrap, {
    clientId,
    softwareVersion,
    clock,
    requestTimeoutMs,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    tls: options.tls,
    dial: options.dial,
    random: options.random,
  })
  const metadata = new MetadataCache(connections, { clientId, clock, apiTimeoutMs })
  const close = async (): Promise<void> => {
    metadata.close()
    connections.close()
    await Promise.resolve()
  }
  return {
    clientId,
    clock,
    apiTimeoutMs,
    requestTimeoutMs,
    connections,
    metadata,
    close,
    [Symbol.asyncDispose]: close,
  }
}
