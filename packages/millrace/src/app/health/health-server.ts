/**
 * The health endpoint: `GET /healthz` (live), `GET /readyz` (ready), JSON with reasons; HEAD answers without the body.
 *
 * - 200 or 503; 404 for other paths, 405 for other methods, 400 for what is not HTTP, and no stack in any of them.
 * - A body that is sent along is read and thrown away; headers and connections are bounded.
 * - Loopback unless a host is given: what it shows is for whoever runs the process.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'

export interface HealthAnswer {
  readonly isOk: boolean
  readonly body: object
}

/** Text of another kind, such as metrics. */
export interface HealthPage {
  readonly contentType: string
  render(): Promise<string>
}

export interface HealthServerOptions {
  readonly port: number
  readonly host: string
  readonly live: () => HealthAnswer
  readonly ready: () => HealthAnswer
  readonly pages?: Readonly<Record<string, HealthPage>>
}

export interface HealthServer extends AsyncDisposable {
  /** `127.0.0.1:8080`. */
  readonly address: string
  readonly port: number
}

const mostConnections = 64
const requestMs = 5000

/** @throws MR_HEALTH_LISTEN */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { port, host } = options
  const server = createServer(
    { requestTimeout: requestMs, headersTimeout: requestMs, keepAliveTimeout: requestMs },
    (request, response) => void answer(options, request, response),
  )
  server.maxConnections = mostConnections
  server.maxHeadersCount = 100
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  await listen(server, port, host)
  // A health check alone must not keep a process alive that is otherwise done.
  server.unref()
  const bound = server.address() as AddressInfo
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  events.healthListening.publish({ host: bound.address, port: bound.port })
  return {
    address: `${shown}:${bound.port}`,
    port: bound.port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void =>
      reject(failure('MR_HEALTH_LISTEN', { host, port, reason: cause.message }, { cause }))
    server.once('error', onError)
    server.listen(port, host, () => {
      server.removeListener('error', onError)
      resolve()
    })
  })
}

async function answer(
  options: HealthServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume()
  request.on('error', () => undefined)
  response.on('error', () => undefined)
  const { method } = request
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    send(response, 405, { error: 'only GET and HEAD' })
    return
  }
  const path = (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/'
  const { pages = {} } = options
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined
  try {
    if (path === '/healthz' || path === '/readyz') {
      const { isOk, body } = path === '/healthz' ? options.live() : options.ready()
      send(response, isOk ? 200 : 503, body)
    } else if (page !== undefined) {
      const text = await page.render()
      response.setHeader('content-type', page.contentType)
      response.end(text)
    } else send(response, 404, { error: 'there is /healthz and /readyz' })
  } catch (error) {
    events.error.publish({ type: 'health', error })
    if (!response.headersSent) send(response, 500, { error: 'the answer could not be made' })
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('cache-control', 'no-store')
  response.end(`${JSON.stringify(body)}\n`)
}
