/**
 * A front proxy that writes router lines about what it really did: it connects to a backend for each request,
 * measures the connect and the service, and says in the platform's codes what went wrong.
 *
 * H12 no answer in 30 s · H13 closed without an answer · H18 broken off in the answer · H19 connect timed out ·
 * H21 connection refused · H27 the client left.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { systemClock, type Clock } from '../../kit/index.ts'
import { microsecondsText } from '../time.ts'

export interface RoutedLine {
  readonly requestId: string
  readonly status: number
  readonly bytes: number
  /** Null when the backend gave a whole answer. */
  readonly code: string | null
  /** The frame's content: header and line, with its LF. */
  readonly content: Buffer
}

export interface RouterOptions {
  /** The site behind it. */
  readonly backend: string
  readonly port?: number
  readonly host?: string
  readonly onLine: (line: RoutedLine) => void
  readonly clock?: Clock
  /** Default 30 s. */
  readonly answerTimeoutMs?: number
  /** Default 5 s. */
  readonly connectTimeoutMs?: number
}

export interface Router extends AsyncDisposable {
  readonly port: number
  readonly url: string
  stop(): Promise<void>
}

interface Measured {
  readonly startedMs: number
  connectMs: number | null
  serviceMs: number | null
  status: number
  bytes: number
  failure: {
    readonly code: string
    readonly desc: string
    readonly sock: 'client' | 'backend' | null
    readonly at: 'error' | 'warning'
  } | null
}

export async function startRouter(options: RouterOptions): Promise<Router> {
  const clock = options.clock ?? systemClock
  const backend = new URL(options.backend)
  const open = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const routed = route(request, response, backend, options, clock)
    open.add(routed)
    void routed.finally(() => open.delete(routed))
  })
  server.keepAliveTimeout = 60_000
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stop = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await Promise.all(open)
  }
  return {
    port,
    url: `http://${options.host ?? '127.0.0.1'}:${port}/`,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  backend: URL,
  options: RouterOptions,
  clock: Clock,
): Promise<void> {
  const requestId = header(request, 'x-request-id') ?? randomUUID()
  const peer = request.socket.remoteAddress?.replace('::ffff:', '') ?? ''
  const fwd = [header(request, 'x-forwarded-for'), peer].filter(Boolean).join(', ')
  const measured: Measured = {
    startedMs: clock.monotonicMs(),
    connectMs: null,
    serviceMs: null,
    status: 503,
    bytes: 0,
    failure: null,
  }
  await forward(request, response, { requestId, fwd, backend, options, clock, measured })
  const { host = '' } = request.headers
  const line = routerLine(request, host, requestId, fwd, measured)
  const content = Buffer.from(
    `<158>1 ${microsecondsText(epochUs())} host heroku router - ${line}\n`,
  )
  const { status, bytes } = measured
  options.onLine({ requestId, status, bytes, code: measured.failure?.code ?? null, content })
}

interface Leg {
  readonly requestId: string
  readonly fwd: string
  readonly backend: URL
  readonly options: RouterOptions
  readonly clock: Clock
  readonly measured: Measured
}

/** Resolves when the request is over, one way or another. */
function forward(request: IncomingMessage, response: ServerResponse, leg: Leg): Promise<void> {
  const { backend, options, clock, measured } = leg
  return new Promise((resolve) => {
    let isOver = false
    let connectedMs: number | undefined
    const finish = (failure: Measured['failure'], status?: number): void => {
      if (isOver) return
      isOver = true
      timer.cancel()
      if (connectedMs !== undefined)
        measured.serviceMs = Math.round(clock.monotonicMs() - connectedMs)
      measured.failure = failure
      if (status !== undefined) measured.status = status
      if (failure) {
        outgoing.destroy()
        if (response.headersSent) response.destroy()
        else response.writeHead(503, { 'Content-Length': 0 }).end()
      }
      resolve()
    }
    const outgoing: ClientRequest = httpRequest(
      {
        agent: false,
        hostname: backend.hostname,
        port: backend.port,
        method: request.method,
        path: request.url,
        headers: {
          ...request.headers,
          'x-request-id': leg.requestId,
          'x-forwarded-for': leg.fwd,
          connection: 'close',
        },
      },
      (answer) => {
        timer.cancel()
        measured.status = answer.statusCode ?? 503
        const { connection: _connection, 'keep-alive': _keepAlive, ...headers } = answer.headers
        response.writeHead(measured.status, headers)
        answer.on('data', (chunk: Buffer) => (measured.bytes += chunk.length))
        answer.on('error', () => finish(failures.H18, 503))
        answer.on('end', () => {
          if (!answer.complete) finish(failures.H18, 503)
        })
        response.once('finish', () => finish(null))
        answer.pipe(response)
      },
    )
    let timer = clock.after(options.connectTimeoutMs ?? 5_000, () => finish(failures.H19))
    outgoing.on('socket', (socket: Socket) => {
      socket.once('connect', () => {
        connectedMs = clock.monotonicMs()
        measured.connectMs = Math.round(connectedMs - measured.startedMs)
        timer.cancel()
        timer = clock.after(options.answerTimeoutMs ?? 30_000, () => finish(failures.H12))
      })
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (connectedMs === undefined)
        finish(error.code === 'ECONNREFUSED' ? failures.H21 : failures.H19)
      else finish(response.headersSent ? failures.H18 : failures.H13)
    })
    response.once('close', () => {
      if (!response.writableFinished) finish(failures.H27, 499)
    })
    request.pipe(outgoing)
  })
}

const failures = {
  H12: { code: 'H12', desc: 'Request timeout', sock: null, at: 'error' },
  H13: { code: 'H13', desc: 'Connection closed without response', sock: 'backend', at: 'error' },
  H18: { code: 'H18', desc: 'Server Request Interrupted', sock: 'backend', at: 'error' },
  H19: { code: 'H19', desc: 'Backend connection timeout', sock: null, at: 'error' },
  H21: { code: 'H21', desc: 'Backend connection refused', sock: null, at: 'error' },
  H27: { code: 'H27', desc: 'Client Request Interrupted', sock: 'client', at: 'warning' },
} as const satisfies Record<string, Measured['failure']>

const ms = (value: number | null): string => (value === null ? '' : `${value}ms`)

function routerLine(
  request: IncomingMessage,
  host: string,
  requestId: string,
  fwd: string,
  { connectMs, serviceMs, status, bytes, failure }: Measured,
): string {
  const sock = failure?.sock ? `sock=${failure.sock} ` : ''
  const head = failure ? `at=${failure.at} code=${failure.code} desc="${failure.desc}"` : 'at=info'
  return `${sock}${head} method=${request.method ?? ''} path="${request.url ?? ''}" host=${host} request_id=${requestId} fwd="${fwd}" dyno=web.1 connect=${ms(connectMs)} service=${ms(serviceMs)} status=${status} bytes=${bytes} protocol=http`
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

function epochUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}
