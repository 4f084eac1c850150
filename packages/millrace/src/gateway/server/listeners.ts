import {
  createServer,
  isIPv4,
  type AddressInfo,
  type ListenOptions,
  type Server,
  type Socket,
} from 'node:net'
import { rm } from 'node:fs/promises'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { failure } from '../../errors/index.ts'
import { readProxyHeader } from './proxy-header.ts'

export interface Listening {
  readonly port: number
  /** `127.0.0.1:6380`, or the path of the socket where there is no port. */
  readonly address: string
  readonly url: string
  /** Addresses that sockets are bound to, as the system says: of those that were handed over nobody else knows. */
  readonly bound: readonly string[]
  /** Takes nobody new; who is connected stays. */
  close(): Promise<void>
}

export interface ListenersOptions {
  readonly host: string
  readonly port?: number
  readonly socket?: string
  readonly tls?: TlsOptions
  readonly reusePort?: boolean
  readonly descriptors?: readonly number[]
  readonly proxyProtocol?: boolean
}

type OnSocket = (socket: Socket, address: string) => void

const defaultPort = 6380
/** Turns without a new connection after which the kernel's queue is empty, and turns after which that is given up. */
const quietTurns = 3
const mostTurns = 10_000
/** A handshake holds a socket that nobody counts. */
const handshakeMs = 10_000

/** @param host - a name, or an address */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^::ffff:/, '')
  return host === 'localhost' || host === '::1' || (isIPv4(address) && address.startsWith('127.'))
}

/** @throws MR_GATEWAY_LISTEN */
export async function openListeners(options: ListenersOptions, take: OnSocket): Promise<Listening> {
  const servers: Server[] = []
  let accepted = 0
  const onSocket: OnSocket = (socket, address) => {
    accepted++
    take(socket, address)
  }
  const { host, port = defaultPort, socket, tls, reusePort = false, descriptors = [] } = options
  try {
    if (descriptors.length > 0) {
      for (const fd of descriptors)
        servers.push(await listen({ fd }, options, onSocket, `descriptor ${fd}`))
    } else {
      const backlog = 4096
      const where = { host, port, backlog, ...(reusePort ? { reusePort } : {}) }
      servers.push(await listen(where, options, onSocket, `${host}:${port}`))
    }
    if (socket !== undefined) servers.push(await listenOnPath(socket, onSocket))
  } catch (error) {
    closeAll(servers)
    throw error
  }
  const first = servers[0]?.address() as AddressInfo | string | null
  const boundPort = typeof first === 'object' && first !== null ? first.port : port
  const address = `${host.includes(':') ? `[${host}]` : host}:${boundPort}`
  return {
    port: boundPort,
    address,
    url: `${tls === undefined ? 'redis' : 'rediss'}://${address}`,
    bound: servers.flatMap((server) => {
      const where = server.address()
      return typeof where === 'object' && where !== null ? [where.address] : []
    }),
    async close() {
      // The queue of a socket that was handed to us is not ours: whoever holds it too serves the rest.
      if (descriptors.length === 0) await emptyQueue(() => accepted)
      closeAll(servers)
    },
  }
}

async function listen(
  where: ListenOptions & { readonly fd?: number },
  { tls, proxyProtocol = false }: ListenersOptions,
  onSocket: OnSocket,
  name: string,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => undefined)
    const address = addressOf(socket)
    const take = (told: string | undefined): void => {
      if (secure === undefined) onSocket(socket, told ?? address)
      else secure(socket, told ?? address)
    }
    if (!proxyProtocol) take(undefined)
    else
      readProxyHeader(socket, (told) => {
        take(told)
        if (secure === undefined) socket.resume()
      })
  })
  const secure = tls && secured(tls, onSocket)
  return bound(server, where, name)
}

/** Speaks TLS on sockets that were accepted elsewhere: a PROXY header lies in front of the handshake. */
function secured(tls: TlsOptions, onSocket: OnSocket): OnSocket {
  const addresses = new Map<string, string>()
  const server = createTlsServer(
    { handshakeTimeout: handshakeMs, ...tls, allowHalfOpen: true },
    (socket) => {
      socket.on('error', () => undefined)
      const peer = addressOf(socket)
      onSocket(socket, addresses.get(peer) ?? peer)
    },
  )
  // A failed handshake ends its own socket.
  server.on('tlsClientError', (_error, socket: Socket) => socket.destroy())
  return (socket, address) => {
    const peer = addressOf(socket)
    if (address !== peer) {
      addresses.set(peer, address)
      socket.once('close', () => addresses.delete(peer))
    }
    server.emit('connection', socket)
  }
}

async function listenOnPath(path: string, onSocket: OnSocket): Promise<Server> {
  let last = 0
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    onSocket(socket, `${path}:${++last}`)
  })
  try {
    return await bound(server, { path }, path)
  } catch (error) {
    // What a killed gateway has left behind answers nobody.
    if (!String(error).includes('EADDRINUSE') || (await isAnswered(path))) throw error
    await rm(path)
    return bound(server, { path }, path)
  }
}

async function isAnswered(path: string): Promise<boolean> {
  const { connect } = await import('node:net')
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}

function bound(server: Server, where: ListenOptions, name: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const reason =
        error.code === 'EADDRINUSE' ? 'something else listens there (EADDRINUSE)' : error.message
      reject(failure('MR_GATEWAY_LISTEN', { address: name, reason }, { cause: error }))
    }
    server.once('error', onError)
    server.listen(where, () => {
      server.off('error', onError)
      // Out of descriptors: the kernel keeps the rest waiting.
      server.on('error', () => undefined)
      resolve(server)
    })
  })
}

function addressOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  const plain = remoteAddress.replace(/^::ffff:/, '')
  return `${plain.includes(':') ? `[${plain}]` : plain}:${remotePort}`
}

/** Sockets that are open stay so: a server's own `close` waits for them, which is not wanted here. */
function closeAll(servers: readonly Server[]): void {
  for (const server of servers) server.close()
}

/**
 * Lets everybody in who is in the kernel's queue: closing would reset them. Over when a few turns of the loop, each of
 * which accepts what is there, brought nobody; the next thing in that turn is to close.
 */
async function emptyQueue(accepted: () => number): Promise<void> {
  let before = accepted()
  for (let turn = 0, quiet = 0; turn < mostTurns && quiet < quietTurns; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    quiet = accepted() === before ? quiet + 1 : 0
    before = accepted()
  }
}
