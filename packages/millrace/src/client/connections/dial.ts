import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { failure } from '../../errors/index.ts'
import type { Clock } from '../../kit/index.ts'
import { formatAddress, type BrokerAddress } from './address.ts'

/** TLS to the brokers. PEM texts, as they stand in a file or an environment variable. */
export interface TlsOptions {
  /** Certificates of the authorities to trust; default: those of Node. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
  /** Name to check the certificate against, and to ask for (SNI); default: the broker's host. */
  readonly serverName?: string
  /** False: the chain is still verified, the host name is not. For clusters that are reached by bare addresses. */
  readonly checksHostName?: boolean
}

export interface DialOptions {
  readonly tls: TlsOptions | undefined
  readonly connectTimeoutMs: number
  readonly clock: Clock
}

/** Opens a byte stream to a broker: the port behind which sockets lie. Rejects with MR_CONNECTION_FAILED or _WRONG_PEER. */
export type Dial = (
  address: BrokerAddress,
  options: DialOptions,
  signal: AbortSignal,
) => Promise<Duplex>

export const dialSocket: Dial = (address, { tls, connectTimeoutMs, clock }, signal) =>
  new Promise((resolve, reject) => {
    const { host, port } = address
    const socket =
      tls === undefined
        ? connectTcp({ host, port, noDelay: true, keepAlive: true })
        : connectTls({ port, host, ...tlsOptions(host, tls) })
    const settle = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      socket.removeListener('error', onError)
    }
    const onError = (error: Error): void => {
      settle()
      socket.destroy()
      reject(dialFailure(address, error))
    }
    const onAbort = (): void => onError(signal.reason as Error)
    const timer = clock.after(connectTimeoutMs, () => {
      onError(new Error(`no connection within ${connectTimeoutMs} ms`))
    })
    socket.on('error', onError)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      settle()
      if (tls !== undefined) socket.setNoDelay(true)
      resolve(socket)
    })
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })

function tlsOptions(host: string, tls: TlsOptions): ConnectionOptions {
  // An IP address may not stand in SNI (RFC 6066, section 3).
  const isAddress = /^[\d.]+$|:/.test(host)
  const servername = tls.serverName ?? (isAddress ? undefined : host)
  return {
    ...(servername === undefined ? {} : { servername }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    ...(tls.checksHostName === false ? { checkServerIdentity: () => undefined } : {}),
  }
}

function dialFailure(address: BrokerAddress, error: Error): Error {
  const at = formatAddress(address)
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|^EPROTO$/.test(code)) {
    return failure(
      'MR_CONNECTION_WRONG_PEER',
      { address: at, peer: 'something that is not TLS: this is a plain port' },
      { cause: error },
    )
  }
  return failure('MR_CONNECTION_FAILED', { address: at, reason: reasonOf(error) }, { cause: error })
}

/** Node gives an AggregateError with an empty message when several addresses of one name fail. */
function reasonOf(error: Error): string {
  if (error.message !== '') return error.message
  if (error instanceof AggregateError && error.errors.length > 0)
    return (error.errors as Error[]).map((one) => one.message).join('; ')
  return error.name
}
