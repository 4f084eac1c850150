import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { failure } from '../../errors/index.ts'

export interface Listener {
  readonly port: number
  /** The addresses that are bound. */
  readonly hosts: readonly string[]
  close(): Promise<void>
}

/** How often a free port of the first address may turn out to be taken on the second. */
const portAttempts = 20

/**
 * Listens on one port of several addresses. An address family that this machine lacks is left out,
 * as long as one address remains.
 *
 * @param options.port - 0 takes a port that is free on all of them
 * @throws MR_BROKER_PORT_TAKEN, MR_BROKER_LISTEN
 */
export async function openListener(options: {
  readonly hosts: readonly string[]
  readonly port: number
  readonly onSocket: (socket: Socket) => void
}): Promise<Listener> {
  for (let attempt = 1; ; attempt++) {
    const servers: Server[] = []
    const hosts: string[] = []
    let port = options.port
    let missing: Error | undefined
    try {
      for (const host of options.hosts) {
        try {
          const server = await bind(host, port, options.onSocket)
          servers.push(server)
          hosts.push(host)
          port = (server.address() as AddressInfo).port
        } catch (error) {
          if (!isFamilyMissing(error)) throw listenFailure(host, port, error)
          missing = listenFailure(host, port, error)
        }
      }
      if (servers.length === 0 && missing) throw missing
      return { port, hosts, close: () => closeAll(servers) }
    } catch (error) {
      await closeAll(servers)
      if (options.port === 0 && servers.length > 0 && attempt < portAttempts) continue
      throw error
    }
  }
}

function bind(host: string, port: number, onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onSocket)
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024, ipv6Only: host.includes(':') }, () => {
      server.off('error', reject)
      // Running out of descriptors must not end the process; the kernel keeps the rest waiting.
      server.on('error', () => undefined)
      resolve(server)
    })
  })
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
  )
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}

function isFamilyMissing(error: unknown): boolean {
  return codeOf(error) === 'EADDRNOTAVAIL' || codeOf(error) === 'EAFNOSUPPORT'
}

function listenFailure(host: string, port: number, error: unknown): Error {
  if (codeOf(error) === 'EADDRINUSE')
    return failure('MR_BROKER_PORT_TAKEN', { host, port }, { cause: error })
  const reason = error instanceof Error ? error.message : String(error)
  return failure('MR_BROKER_LISTEN', { host, port, reason }, { cause: error })
}
