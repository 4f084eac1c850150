import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'

import { failure } from '../../errors/index.ts'

/** A request as a web server logged it. */
export interface LoggedRequest {
  /** From 0, its place in the log. */
  readonly index: number
  readonly client: string
  /** Epoch milliseconds, whole seconds. */
  readonly timeMs: number
  readonly method: string
  /** With query. */
  readonly path: string
  readonly status: number
  readonly bytes: number
}

// The agent and the referrer at the end are not needed, so a line that was cut there is whole.
const combined =
  /^(\S+) \S+ \S+ \[(\d{2})\/(\w{3})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-]\d{2})(\d{2})\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-)/
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * Reads a log in combined format, plain or gzipped.
 *
 * @throws MR_SIMULATE_DATA
 */
export async function readAccessLog(path: string): Promise<readonly LoggedRequest[]> {
  const bytes = await readFile(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1')
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line, index) => parseAccessLine(line, index, path))
}

export function parseAccessLine(line: string, index: number, path: string): LoggedRequest {
  const match = combined.exec(line)
  const month = months.indexOf(match?.[3] ?? '')
  if (!match || month < 0) throw failure('MR_SIMULATE_DATA', { path, line: index + 1 })
  const part = (at: number): number => Number(match[at])
  const offsetMinutes = part(8) * 60 + Math.sign(part(8)) * part(9)
  const local = Date.UTC(part(4), month, part(2), part(5), part(6), part(7))
  return {
    index,
    client: match[1] ?? '',
    timeMs: local - offsetMinutes * 60_000,
    method: match[10] ?? '',
    path: match[11] ?? '',
    status: part(12),
    bytes: match[13] === '-' ? 0 : part(13),
  }
}

/** A request id from which the request can be told: `index` is its last group. */
export function requestIdOf(run: string, index: number): string {
  return `${run}-0000-8000-8000-${String(index).padStart(12, '0')}`
}

/** The index in a request id, also in a replayed one; undefined for ids of others. */
export function indexOfRequestId(id: string): number | undefined {
  const match = /^(?:mrreplay-)?[0-9a-f]{8}-0000-8000-8000-(\d{12})$/.exec(id)
  return match ? Number(match[1]) : undefined
}
