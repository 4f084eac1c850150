import { isUtf8 } from 'node:buffer'

/** Is structured data (RFC 5424 6.3) written between MSGID and MSG? Logplex leaves it out altogether. */
export type StructuredDataMode = 'absent' | 'present'

/** The syslog header of one frame; `-` is null. `msg` is a view of the frame. */
export interface FrameHeader {
  readonly prival: number
  readonly version: number
  readonly time: string
  readonly hostname: string | null
  readonly appName: string | null
  readonly procid: string | null
  readonly msgid: string | null
  readonly structuredData: string | null
  readonly msg: Buffer
  /** The drain token that the layout of 2012 carries in the PROCID's place. */
  readonly token: string | null
}

const SP = 32
const drainToken = /^d\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * `<PRI>1 TIME HOST APP PROCID MSGID [SD] [SP MSG]`, or undefined when a field is missing.
 * Whether SD is there comes from the sender, never from the line: a message may begin with `- ` itself.
 */
export function readHeader(content: Buffer, mode: StructuredDataMode): FrameHeader | undefined {
  const closing = content.indexOf(62)
  if (content[0] !== 60 || closing < 2 || closing > 4) return undefined
  const prival = Number(content.toString('latin1', 1, closing))
  let at = content.indexOf(SP, closing)
  const version = Number(content.toString('latin1', closing + 1, at))
  if (at < 0 || !Number.isInteger(prival) || !Number.isInteger(version) || version === 0)
    return undefined

  const fields: string[] = []
  while (fields.length < 5) {
    const next = content.indexOf(SP, at + 1)
    const end = next < 0 ? content.length : next
    if (end === at + 1) return undefined
    fields.push(content.toString('latin1', at + 1, end))
    at = end
    if (next < 0) break
  }
  const [time, hostname, appName, procid, msgid] = fields
  if (time === undefined || hostname === undefined || appName === undefined) return undefined
  if (procid === undefined || msgid === undefined) return undefined

  let structuredData: string | null = null
  if (mode === 'present') {
    const end = structuredDataEnd(content, at + 1)
    if (end > 0) {
      structuredData = content.toString('latin1', at + 1, end)
      at = end
    }
  }
  const msg = withoutByteOrderMark(content.subarray(Math.min(at + 1, content.length)))
  const isShifted = drainToken.test(procid)
  return {
    prival,
    version,
    time,
    hostname: isShifted ? null : nil(withoutLineEnd(hostname)),
    appName: nil(isShifted ? hostname : appName),
    procid: nil(isShifted ? appName : procid),
    msgid: nil(withoutLineEnd(msgid)),
    structuredData: structuredData === null ? null : nil(structuredData),
    msg,
    token: isShifted ? procid : null,
  }
}

/** A frame without MSG may still carry the line end that its sender counts. */
function withoutLineEnd(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text
}

function nil(text: string): string | null {
  return text === '-' ? null : text
}

/** The position after `-` or after the last element, or -1 when there is no structured data here. */
function structuredDataEnd(content: Buffer, from: number): number {
  if (content[from] === 45) {
    return from + 1 === content.length || content[from + 1] === SP ? from + 1 : -1
  }
  let at = from
  while (content[at] === 91) {
    let isQuoted = false
    for (at++; at < content.length; at++) {
      const byte = content[at]
      if (byte === 92 && isQuoted) at++
      else if (byte === 34) isQuoted = !isQuoted
      else if (byte === 93 && !isQuoted) break
    }
    if (at >= content.length) return -1
    at++
  }
  return at > from && (at === content.length || content[at] === SP) ? at : -1
}

/** syslog-ng marks UTF-8 messages (RFC 5424 6.4); the mark is not part of the text. */
function withoutByteOrderMark(msg: Buffer): Buffer {
  return msg[0] === 0xef && msg[1] === 0xbb && msg[2] === 0xbf ? msg.subarray(3) : msg
}

/** The message as text. A split at 10,000 bytes can cut a character: then the text is lossy. */
export function messageText(msg: Buffer): { readonly text: string; readonly isLossy: boolean } {
  return { text: msg.toString('utf8'), isLossy: !isUtf8(msg) }
}
