import type { IncomingHttpHeaders } from 'node:http'

import type { StructuredDataMode } from './header.ts'

/** What the request headers say about who sent a body. */
export interface Sender {
  readonly kind: 'logplex' | 'log-shuttle' | 'other'
  /** The drain token, hence the app. Private Space logging sends none. */
  readonly token: string | null
  /** Kept by the sender over its retries; null when there is none, and then nothing can be told apart. */
  readonly frameId: string | null
  /** A hint, never a contract; null when absent or no number. */
  readonly messageCount: number | null
  /** Lines that the sender says it had to drop, by its headers. */
  readonly dropped: number
  readonly mode: StructuredDataMode
}

const longestId = 200

/**
 * Headers may all be missing: load generators and partners leave them out.
 * log-shuttle has no frame id, but keeps its `X-Request-Id` over retries.
 */
export function readSender(headers: IncomingHttpHeaders): Sender {
  const agent = headers['user-agent'] ?? ''
  const token = text(headers['logplex-drain-token'])
  const logplexId = text(headers['logplex-frame-id'])
  const isShuttle = /log-shuttle/i.test(agent)
  const kind = isShuttle
    ? 'log-shuttle'
    : token !== null || logplexId !== null || /^logplex/i.test(agent)
      ? 'logplex'
      : 'other'
  return {
    kind,
    token,
    frameId: logplexId ?? (isShuttle ? text(headers['x-request-id']) : null),
    messageCount: count(headers['logplex-msg-count']),
    dropped:
      (count(headers['logplex-drop-count']) ?? 0) + (count(headers['logplex-lost-count']) ?? 0),
    mode: isShuttle ? 'present' : 'absent',
  }
}

function text(value: string | readonly string[] | undefined): string | null {
  const first = typeof value === 'string' ? value : value?.[0]
  return first === undefined || first === '' || first.length > longestId ? null : first
}

function count(value: string | readonly string[] | undefined): number | null {
  const digits = text(value)
  return digits !== null && /^\d{1,9}$/.test(digits) ? Number(digits) : null
}
