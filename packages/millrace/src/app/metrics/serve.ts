import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import { metricsContentType } from './prometheus.ts'

export interface MetricsServer extends AsyncDisposable {
  /** `127.0.0.1:9464` */
  readonly address: string
}

const requestMs = 5000
const mostConnections = 16

/** `GET /metrics` on a port of its own. @throws MR_METRICS_LISTEN */
export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  render: () => Promise<string>,
): Promise<MetricsServer> {
  const server = createServer(
    { requestTimeout: requestMs, headersTimeout: requestMs, keepAliveTimeout: requestMs },
    (request, response) => void answer(request, response, render),
  )
  server.maxConnections = mostConnections
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: Error): void =>
      reject(failure('MR_METRICS_LISTEN', { host, port, reason: cause.message }, { cause }))
    server.once('error', onError)
    server.listen(port, host, () => {
      server.removeListener('error', onError)
      resolve()
    })
  })
  // Metrics alone must not keep a process alive that is otherwise done.
  server.unref()
  const bound = server.address() as AddressInfo
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return {
    address: `${shown}:${bound.port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  render: () => Promise<string>,
): Promise<void> {
  request.resume()
  request.on('error', () => undefined)
  response.on('error', () => undefined)
  const path = (request.url ?? '/').split(/[?#]/, 1)[0]
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (path !== '/metrics' || !isRead) {
    response.statusCode = path === '/metrics' ? 405 : 404
    response.end('there is GET /metrics\n')
    return
  }
  try {
    const text = await render()
    response.setHeader('content-type', metricsContentType)
    response.end(text)
  } catch (error) {
    events.error.publish({ type: 'metrics', error })
    response.statusCode = 500
    response.end()
  }
}
