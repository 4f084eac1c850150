import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

import { failure } from '../../errors/index.ts'
import type { Clock } from '../../kit/index.ts'
import { replayIdPrefix, type ReplayRequest } from './choice.ts'

export interface ReplayAnswer {
  readonly status: number
  readonly bytes: number
  /** From sending to the last byte. */
  readonly ms: number
}

/** Sends one request; rejects when no whole answer came. */
export interface ReplayTarget {
  /** In lower case, with the port if the URL names one. */
  readonly host: string
  readonly name: string
  send(request: ReplayRequest, signal?: AbortSignal): Promise<ReplayAnswer>
  close(): void
}

export interface TargetOptions {
  readonly concurrency: number
  readonly timeoutMs: number
  /** Set on every request; over ours. */
  readonly headers: Readonly<Record<string, string>>
  readonly clock: Clock
}

/** @throws MR_REPLAY_TARGET */
export function httpTarget(to: string, options: TargetOptions): ReplayTarget {
  const url = URL.parse(to)
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw failure('MR_REPLAY_TARGET', { target: withoutCredentials(url) ?? 'what was given' })
  }
  const isSecure = url.protocol === 'https:'
  const agentOptions = { keepAlive: true, maxSockets: options.concurrency }
  const agent = isSecure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
  const start = isSecure ? httpsRequest : httpRequest
  const base = url.pathname.replace(/\/$/, '')
  const credentials =
    url.username === ''
      ? undefined
      : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`

  return {
    host: url.host.toLowerCase(),
    name: withoutCredentials(url) ?? '',
    close: () => agent.destroy(),
    send(request, signal) {
      return new Promise((resolve, reject) => {
        const startedMs = options.clock.monotonicMs()
        const timeout = AbortSignal.timeout(options.timeoutMs)
        const outgoing = start(
          {
            agent,
            hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
            port: url.port,
            method: request.method,
            path: base + request.path,
            ...(credentials === undefined ? {} : { auth: credentials }),
            signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
            headers: {
              'User-Agent': 'millrace-replay (replays logged requests)',
              'X-Replay-Of': request.originalId,
              'X-Request-Id': replayIdPrefix + request.originalId,
              ...options.headers,
            },
          },
          (response: IncomingMessage) => {
            let bytes = 0
            response.on('data', (chunk: Buffer) => (bytes += chunk.length))
            response.on('error', reject)
            response.on('end', () => {
              const ms = options.clock.monotonicMs() - startedMs
              resolve({ status: response.statusCode ?? 0, bytes, ms })
            })
          },
        )
        outgoing.on('error', reject)
        outgoing.end()
      })
    },
  }
}

function withoutCredentials(url: URL | null): string | undefined {
  return url ? `${url.protocol}//${url.host}` : undefined
}
