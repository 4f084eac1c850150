import { messageText, readHeader, type FrameHeader, type StructuredDataMode } from './header.ts'
import { readRouterLine, routerFields } from './line.ts'
import { readLogfmt } from './logfmt.ts'
import { microsecondsText, parseTimeUs, wholeSecondsText } from './time.ts'

/** The value of a message in topics `router` and `logs`, as JSON. The first nine keys are those of 2016, in their order. */
export interface DrainRecord {
  readonly prival: number
  readonly version: number
  /** UTC, whole seconds: `2016-05-04 08:33:23 +0000`. */
  readonly timestamp: string
  readonly hostname: string | null
  readonly app_name: string | null
  readonly procid: string | null
  readonly msgid: string | null
  readonly structured_data: string | null
  /** With its line end, if it came with one. */
  readonly msg: string
  /** TIME as it was sent, readable or not. */
  readonly time: string
  /** Epoch microseconds; of the arrival when TIME cannot be read. */
  readonly time_us: number
  /** Router lines: see `RouterRecordFields`. Other lines: logfmt pairs, or null for prose. */
  readonly fields: Readonly<Record<string, unknown>> | null
  /** The bytes, when they are not UTF-8 and `msg` is lossy. */
  readonly msg_base64?: string
}

/** `fields` of a router line. Numbers are null when empty; everything else is absent when it was not logged. */
export interface RouterRecordFields {
  readonly at?: string
  readonly code?: string
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly request_id?: string
  readonly fwd?: string
  readonly dyno?: string
  readonly connect_ms: number | null
  readonly service_ms: number | null
  readonly status: number | null
  readonly bytes: number | null
  readonly protocol?: string
  readonly tls?: boolean
  readonly complete: boolean
  readonly ambiguous: boolean
}

/** Where lines go; null drops them. */
export interface DrainTopics {
  readonly router: string | null
  readonly logs: string | null
  /** Bytes that were no frame. */
  readonly unreadable: string | null
}

/** A message as the drain hands it to its producer. */
export interface DrainMessage {
  readonly topic: string
  readonly key: string | null
  readonly value: string | Buffer
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly timestamp: number
}

export const headerNames = {
  frameId: 'heroku.logplex.frame_id',
  drainToken: 'heroku.logplex.drain_token',
  frameIndex: 'drain.frame_index',
  frameCount: 'drain.frame_count',
  receivedUs: 'drain.received_us',
  source: 'drain.source',
} as const

/** Epoch milliseconds that a record's timestamp may lie before and after its arrival. */
const oldestMs = 7 * 24 * 3600 * 1000
const newestMs = 5 * 60 * 1000

/** One frame as read: what it becomes, and what the counters want to know. Holds no view of the body. */
export interface ReadLine {
  readonly topic: keyof DrainTopics
  readonly key: string | null
  readonly value: string | Buffer
  readonly timestamp: number
  /** The drain token that a frame of 2012 carries itself. */
  readonly token: string | null
  readonly isTimeBad: boolean
  readonly isAmbiguous: boolean
  readonly isIncomplete: boolean
  /** The H-code of a router line. */
  readonly code: string | null
  /** Lines that the sender says it lost before this one, by its own L10, L12 or L13 line. */
  readonly lost: number | null
}

/** @param receivedUs - epoch microseconds of the arrival */
export function readLine(content: Buffer, mode: StructuredDataMode, receivedUs: number): ReadLine {
  const header = readHeader(content, mode)
  if (!header) return unreadableLine(content, receivedUs)

  const { text, isLossy } = messageText(header.msg)
  const sentUs = parseTimeUs(header.time)
  const isTimeBad = Number.isNaN(sentUs)
  const timeUs = isTimeBad ? receivedUs : sentUs
  const line = header.procid === 'router' ? readRouterLine(text) : null
  const record: DrainRecord = {
    prival: header.prival,
    version: header.version,
    timestamp: wholeSecondsText(timeUs),
    hostname: header.hostname,
    app_name: header.appName,
    procid: header.procid,
    msgid: header.msgid,
    structured_data: header.structuredData,
    msg: text,
    time: isTimeBad && header.time === '-' ? microsecondsText(receivedUs) : header.time,
    time_us: timeUs,
    fields: line ? routerFields(line) : readLogfmt(text),
  }
  const value = isLossy
    ? JSON.stringify({ ...record, msg_base64: header.msg.toString('base64') })
    : JSON.stringify(record)
  const receivedMs = Math.floor(receivedUs / 1000)
  const sentMs = Math.floor(timeUs / 1000)
  const isNear = sentMs >= receivedMs - oldestMs && sentMs <= receivedMs + newestMs
  const requestId = line?.requestId
  return {
    topic: line ? 'router' : 'logs',
    key: requestId === undefined || requestId === null || requestId === '' ? null : requestId,
    value,
    timestamp: isNear ? sentMs : receivedMs,
    token: header.token,
    isTimeBad,
    isAmbiguous: line?.ambiguous === true,
    isIncomplete: line?.complete === false,
    code: line?.code ?? null,
    lost: lostBefore(header),
  }
}

/** Bytes that no frame holds. A copy: the view would keep the whole body alive. */
export function unreadableLine(bytes: Buffer, receivedUs: number): ReadLine {
  return {
    topic: 'unreadable',
    key: null,
    value: Buffer.from(bytes),
    timestamp: Math.floor(receivedUs / 1000),
    token: null,
    isTimeBad: false,
    isAmbiguous: false,
    isIncomplete: false,
    code: null,
    lost: null,
  }
}

const lossNotice = /^Error L1[023] \(.*?\): (\d+) messages (?:dropped|lost)/

function lostBefore({ procid, msg }: FrameHeader): number | null {
  if (procid !== 'logplex' && procid !== 'log-shuttle') return null
  const match = lossNotice.exec(msg.toString('latin1', 0, 200))
  return match ? Number(match[1]) : null
}
