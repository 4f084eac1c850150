import type { Header } from '../ports.ts'

/** Every header that Millrace writes begins with it. */
export const headerPrefix = 'millrace-'

/** Names of headers that more than one feature reads. */
export const headerNames = {
  id: 'millrace-id',
  sourceTopic: 'millrace-source-topic',
  sourcePartition: 'millrace-source-partition',
  sourceOffset: 'millrace-source-offset',
  sourceTimestamp: 'millrace-source-timestamp',
  /** The key before `key: 'unique'` took its place. */
  sourceKey: 'millrace-source-key',
  group: 'millrace-group',
  attempts: 'millrace-attempts',
  firstFailedAt: 'millrace-first-failed-at',
  traceId: 'millrace-trace-id',
  redrives: 'millrace-redrives',
  /** The one group that is to handle this copy; consumers of other groups finish it unseen. */
  onlyGroup: 'millrace-only-group',
  /**
   * The topic for which a copy was made, on the wire. Headers are often sent on with other messages; what is said about a copy
   * counts in this topic alone.
   */
  copyIn: 'millrace-copy-in',
  /** When a message in a retry topic is due, epoch milliseconds. */
  retryAt: 'millrace-retry-at',
  /** How many retry topics it has been in. */
  retryTries: 'millrace-retry-tries',
  /** Offset of the record that says that its key is parked. */
  parkedAt: 'millrace-parked-at',
} as const

/** Said about a copy, not about its message: they do not go on with it into another topic. */
export const headersOfCopy: readonly string[] = [
  headerNames.copyIn,
  headerNames.onlyGroup,
  headerNames.retryAt,
  headerNames.retryTries,
  headerNames.parkedAt,
]

/** Bytes of the last header of this name; undefined without one. */
export function headerBytes(headers: readonly Header[], name: string): Buffer | null | undefined {
  for (let index = headers.length - 1; index >= 0; index--) {
    const header = headers[index] as Header
    if (header[0] === name) return header[1]
  }
  return undefined
}

/** The last header of this name as text. */
export function headerText(headers: readonly Header[], name: string): string | undefined {
  return headerBytes(headers, name)?.toString()
}

/** The last header of this name as a whole number; undefined when it is none. */
export function headerNumber(headers: readonly Header[], name: string): number | undefined {
  const written = headerText(headers, name)
  return written !== undefined && /^-?\d{1,15}$/.test(written) ? Number(written) : undefined
}
