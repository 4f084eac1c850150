/**
 * A demo site: answers with the status and the size that were logged for a request, and keeps an access log.
 *
 * The log is written before the answer, and a request id that is there already goes into a second log of repeats.
 * So over kill -9 of anything, the first log holds each request once, and no request that was answered is missing.
 */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { pipeline, Readable } from 'node:stream'

import { systemClock, type Clock } from '../../kit/index.ts'
import { indexOfRequestId, type LoggedRequest } from './access-log.ts'
import { LineJournal } from './line-journal.ts'

export interface SiteOptions {
  readonly requests: readonly LoggedRequest[]
  /** Path of the access log; repeats go to the same path with `.repeats`. */
  readonly accessLog: string
  readonly port?: number
  readonly host?: string
  readonly clock?: Clock
}

export interface Site extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** Distinct requests in the access log, those of former runs included. */
  readonly logged: number
  readonly repeats: number
  stop(): Promise<void>
}

const chunk = Buffer.alloc(512 * 1024, 0x2e)
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export async function startSite(options: SiteOptions): Promise<Site> {
  const clock = options.clock ?? systemClock
  mkdirSync(dirname(options.accessLog), { recursive: true })
  const log = LineJournal.open(options.accessLog)
  const repeatLog = LineJournal.open(`${options.accessLog}.repeats`)
  const ids = new Set(log.lines.map((line) => line.slice(line.lastIndexOf(' ') + 1)))
  let repeats = repeatLog.lines.length
  let unnamed = log.lines.length - ids.size
  const firstByTarget = new Map<string, LoggedRequest>()
  for (const request of options.requests) {
    const target = `${request.method} ${request.path}`
    if (!firstByTarget.has(target)) firstByTarget.set(target, request)
  }

  const server = createServer((request, response) => {
    const id = header(request, 'x-request-id') ?? '-'
    const known = options.requests[indexOfRequestId(id) ?? -1]
    const found = known ?? firstByTarget.get(`${request.method} ${request.url}`)
    const { status, bytes } = found ?? { status: 404, bytes: 0 }
    const line = `${header(request, 'x-forwarded-for')?.split(',')[0] ?? '-'} - - [${logTime(clock.now())}] "${request.method} ${request.url} HTTP/${request.httpVersion}" ${status} ${bytes} ${id}`
    if (id !== '-' && ids.has(id)) {
      repeats++
      repeatLog.journal.append(line)
    } else {
      if (id === '-') unnamed++
      else ids.add(id)
      log.journal.append(line)
    }
    request.resume()
    answer(request, response, status, bytes)
  })
  server.keepAliveTimeout = 60_000
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let isStopped = false
  const stop = async (): Promise<void> => {
    if (isStopped) return
    isStopped = true
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
    log.journal.close()
    repeatLog.journal.close()
  }
  return {
    port,
    url: `http://${options.host ?? '127.0.0.1'}:${port}/`,
    get logged() {
      return ids.size + unnamed
    },
    get repeats() {
      return repeats
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  bytes: number,
): void {
  response.statusCode = status
  response.setHeader('Content-Type', 'application/octet-stream')
  const hasBody = request.method !== 'HEAD' && status !== 304 && status !== 204
  if (!hasBody) {
    response.end()
    return
  }
  response.setHeader('Content-Length', bytes)
  // A client that leaves breaks the pipe; it was logged, and nobody waits for the rest.
  pipeline(Readable.from(body(bytes), { objectMode: false }), response, () => undefined)
}

function* body(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= chunk.length) {
    yield left < chunk.length ? chunk.subarray(0, left) : chunk
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

const two = (value: number): string => String(value).padStart(2, '0')

function logTime(ms: number): string {
  const at = new Date(ms)
  return `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`
}
