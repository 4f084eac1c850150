/**
 * Reads one line of the router.
 *
 * ```
 * line = pair *(SP pair) [LF]      pair = key "=" ( "" | bare | DQUOTE text DQUOTE )
 * ```
 * The router escapes nothing, and `path`, `host`, `request_id`, the left part of `fwd` and `agent` hold what a
 * client sent. So a quote is no end in itself, and the place of a key decides who wrote it:
 * - everything up to `path` counts from the left, since the router writes it before any client text;
 * - `dyno` and what follows count from the right: the right-most `dyno` after which only clean pairs come, up to
 *   the end or to a closing `agent="..."`;
 * - `host`, `request_id` and `fwd` are the last ones before that `dyno`;
 * - a known key that occurs once more anywhere makes the line `ambiguous`.
 *
 * A request for `/x" dyno=web.9 status=200 bytes=1` therefore cannot forge a status.
 * A line that ends early yields what could be read, with `complete: false`.
 */
export interface RouterLine {
  readonly sock: string | null
  readonly at: string | null
  readonly code: string | null
  readonly desc: string | null
  readonly cause: string | null
  readonly method: string | null
  /** Path and query, as logged. */
  readonly path: string | null
  readonly host: string | null
  readonly requestId: string | null
  readonly fwd: string | null
  readonly dyno: string | null
  /** Null when it did not happen. */
  readonly connectMs: number | null
  readonly serviceMs: number | null
  readonly status: number | null
  readonly bytes: number | null
  readonly protocol: string | null
  readonly tls: boolean | null
  readonly tlsVersion: string | null
  readonly agent: string | null
  readonly queue: string | null
  readonly wait: string | null
  /** Pairs with keys that no router of ours knows, in their order. */
  readonly extra: readonly (readonly [key: string, value: string])[]
  readonly complete: boolean
  readonly ambiguous: boolean
}

const headKeys = ['sock', 'at', 'code', 'desc', 'cause', 'method', 'path'] as const
const clientKeys = ['host', 'request_id', 'fwd'] as const
const knownKey =
  /(?:^| )(sock|at|code|desc|cause|method|path|host|request_id|fwd|dyno|connect|service|status|bytes|protocol|tls_version|tls|agent|queue|wait)=/g

interface Mark {
  readonly key: string
  /** Where the key begins, and where its value does. */
  readonly at: number
  readonly value: number
}

export function readRouterLine(text: string): RouterLine {
  const line = withoutLineEnd(text)
  const marks = findMarks(line)
  const tail = findTail(line, marks)
  const chosen = choose(marks, tail)

  const values = new Map<string, string>()
  const extra: [string, string][] = []
  let isWhole = tail.isClean
  for (let index = 0; index < chosen.length; index++) {
    const mark = chosen[index]!
    const end = index + 1 < chosen.length ? chosen[index + 1]!.at - 1 : line.length
    const segment = line.slice(mark.value, Math.max(mark.value, end))
    const value = readValue(segment, extra)
    // A cut agent is no loss: all that the router measured stands before it.
    if (value === undefined && mark.key !== 'agent') isWhole = false
    values.set(mark.key, value ?? segment.slice(1))
  }
  return assemble(values, extra, isWhole, marks.length > chosen.length)
}

function withoutLineEnd(text: string): string {
  let end = text.length
  while (end > 0 && (text.charCodeAt(end - 1) === 10 || text.charCodeAt(end - 1) === 13)) end--
  return text.slice(0, end)
}

function findMarks(line: string): readonly Mark[] {
  const marks: Mark[] = []
  knownKey.lastIndex = 0
  for (let match = knownKey.exec(line); match; match = knownKey.exec(line)) {
    const key = match[1]!
    marks.push({ key, at: knownKey.lastIndex - key.length - 1, value: knownKey.lastIndex })
  }
  return marks
}

interface Tail {
  /** Index in the marks of the `dyno` that the router wrote, or their number. */
  readonly from: number
  /** Index of the `agent` behind it, or their number. */
  readonly agent: number
  readonly isClean: boolean
}

function findTail(line: string, marks: readonly Mark[]): Tail {
  let lastDyno = -1
  for (let index = marks.length - 1; index >= 0; index--) {
    if (marks[index]!.key !== 'dyno') continue
    const agent = cleanUntil(line, marks, index)
    if (agent >= 0) return { from: index, agent, isClean: true }
    if (lastDyno < 0) lastDyno = index
  }
  if (lastDyno < 0) return { from: marks.length, agent: marks.length, isClean: false }
  return { from: lastDyno, agent: marks.length, isClean: false }
}

/** Runs over `key=token` pairs to the end of the line or to an agent: its index, or -1 when something else comes. */
function cleanUntil(line: string, marks: readonly Mark[], from: number): number {
  const seen = new Set<string>()
  let next = from
  let position = marks[from]!.at
  while (position < line.length) {
    const mark = marks[next]
    const isKnown = mark !== undefined && mark.at === position
    if (isKnown && mark.key === 'agent' && seen.has('bytes')) {
      if (line.charCodeAt(mark.value) !== 34) return -1
      // An agent inside the client's text is followed by more; the real one closes the line or was cut.
      return line.endsWith('"') || !line.slice(mark.value + 1).includes('"') ? next : -1
    }
    const equals = isKnown ? mark.value - 1 : line.indexOf('=', position)
    const space = line.indexOf(' ', position)
    const end = space < 0 ? line.length : space
    if (equals < 0 || equals >= end || line.charCodeAt(equals + 1) === 34) return -1
    if (!isKnown && !isPlainKey(line, position, equals)) return -1
    if (isKnown) {
      if (seen.has(mark.key) || isHeadOrClientKey(mark.key)) return -1
      seen.add(mark.key)
      next++
    }
    // An agent with quotes around it could hide here: what the router writes in the tail has none.
    if (line.slice(equals + 1, end).includes('"')) return -1
    position = end + 1
  }
  return marks.length
}

function isHeadOrClientKey(key: string): boolean {
  return (headKeys as readonly string[]).includes(key) || isClientKey(key)
}

function isClientKey(key: string): boolean {
  return (clientKeys as readonly string[]).includes(key)
}

function isPlainKey(line: string, from: number, end: number): boolean {
  if (end === from) return false
  for (let at = from; at < end; at++) {
    const code = line.charCodeAt(at)
    const isPlain =
      (code >= 97 && code <= 122) ||
      (code >= 65 && code <= 90) ||
      (code >= 48 && code <= 57) ||
      code === 95 ||
      code === 46 ||
      code === 45
    if (!isPlain) return false
  }
  return true
}

/** The marks that the router wrote, in their order in the line. */
function choose(marks: readonly Mark[], tail: Tail): readonly Mark[] {
  const chosen: Mark[] = []
  const taken = new Set<string>()
  let path = -1
  for (let index = 0; index < tail.from; index++) {
    const mark = marks[index]!
    if (isClientKey(mark.key)) break
    if (taken.has(mark.key)) continue
    taken.add(mark.key)
    chosen.push(mark)
    if (mark.key === 'path') {
      path = index
      break
    }
  }
  const middle: Mark[] = []
  let before = tail.from
  for (let key = clientKeys.length - 1; key >= 0; key--) {
    const found = lastOf(marks, clientKeys[key]!, path + 1, before)
    if (found < 0) continue
    middle.unshift(marks[found]!)
    before = found
  }
  chosen.push(...middle)
  for (let index = tail.from; index < marks.length && index <= tail.agent; index++) {
    const mark = marks[index]!
    if (taken.has(mark.key) && !tail.isClean) continue
    taken.add(mark.key)
    chosen.push(mark)
  }
  return chosen
}

function lastOf(marks: readonly Mark[], key: string, from: number, before: number): number {
  for (let index = before - 1; index >= from; index--) if (marks[index]!.key === key) return index
  return -1
}

/** The value at the start of a segment; pairs behind it that no mark knows go to `extra`. Undefined: the quote never closed. */
function readValue(segment: string, extra: [string, string][]): string | undefined {
  if (segment.charCodeAt(0) === 34) {
    if (segment.length > 1 && segment.endsWith('"')) return segment.slice(1, -1)
    const closing = segment.lastIndexOf('"')
    if (closing > 0 && takeExtra(segment.slice(closing + 2), extra)) {
      return segment.slice(1, closing)
    }
    return undefined
  }
  const space = segment.indexOf(' ')
  if (space < 0) return segment
  // Bare values of old routers may hold spaces; only real pairs behind them are cut off.
  if (takeExtra(segment.slice(space + 1), extra)) return segment.slice(0, space)
  return segment
}

function takeExtra(text: string, extra: [string, string][]): boolean {
  const pairs: [string, string][] = []
  for (const part of text.split(' ')) {
    const equals = part.indexOf('=')
    if (equals <= 0 || !isPlainKey(part, 0, equals)) return false
    pairs.push([part.slice(0, equals), part.slice(equals + 1)])
  }
  extra.push(...pairs)
  return true
}

function assemble(
  values: ReadonlyMap<string, string>,
  extra: readonly (readonly [string, string])[],
  isWhole: boolean,
  ambiguous: boolean,
): RouterLine {
  const text = (key: string): string | null => values.get(key) ?? null
  const connectMs = milliseconds(values.get('connect'))
  const serviceMs = milliseconds(values.get('service'))
  const status = integer(values.get('status'))
  const bytes = integer(values.get('bytes'))
  const hasAll =
    values.has('method') && values.has('path') && values.has('host') && values.has('dyno')
  const areNumbers = [connectMs, serviceMs, status, bytes].every((value) => value !== undefined)
  return {
    sock: text('sock'),
    at: text('at'),
    code: text('code'),
    desc: text('desc'),
    cause: text('cause'),
    method: text('method'),
    path: text('path'),
    host: text('host'),
    requestId: text('request_id'),
    fwd: text('fwd'),
    dyno: text('dyno'),
    connectMs: connectMs ?? null,
    serviceMs: serviceMs ?? null,
    status: status ?? null,
    bytes: bytes ?? null,
    protocol: text('protocol'),
    tls: values.has('tls') ? values.get('tls') === 'true' : null,
    tlsVersion: text('tls_version'),
    agent: text('agent'),
    queue: text('queue'),
    wait: text('wait'),
    extra,
    complete: isWhole && hasAll && areNumbers,
    ambiguous,
  }
}

/** `12ms` or a bare integer; empty is null: it did not happen. Undefined: not there or no number. */
function milliseconds(value: string | undefined): number | null | undefined {
  if (value === undefined) return undefined
  return integer(value.endsWith('ms') ? value.slice(0, -2) : value)
}

function integer(value: string | undefined): number | null | undefined {
  if (value === undefined) return undefined
  if (value === '') return null
  if (value.length > 15) return undefined
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code < 48 || code > 57) return undefined
  }
  return Number(value)
}

/** The line as JSON fields, under the router's own key names; what was not logged is left out, numbers are null. */
export function routerFields(line: RouterLine): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  if (line.sock !== null) fields['sock'] = line.sock
  if (line.at !== null) fields['at'] = line.at
  if (line.code !== null) fields['code'] = line.code
  if (line.desc !== null) fields['desc'] = line.desc
  if (line.cause !== null) fields['cause'] = line.cause
  if (line.method !== null) fields['method'] = line.method
  if (line.path !== null) fields['path'] = line.path
  if (line.host !== null) fields['host'] = line.host
  if (line.requestId !== null) fields['request_id'] = line.requestId
  if (line.fwd !== null) fields['fwd'] = line.fwd
  if (line.dyno !== null) fields['dyno'] = line.dyno
  fields['connect_ms'] = line.connectMs
  fields['service_ms'] = line.serviceMs
  fields['status'] = line.status
  fields['bytes'] = line.bytes
  if (line.protocol !== null) fields['protocol'] = line.protocol
  if (line.tls !== null) fields['tls'] = line.tls
  if (line.tlsVersion !== null) fields['tls_version'] = line.tlsVersion
  if (line.agent !== null) fields['agent'] = line.agent
  if (line.queue !== null) fields['queue'] = line.queue
  if (line.wait !== null) fields['wait'] = line.wait
  for (const [key, value] of line.extra) setOwn(fields, key, value)
  fields['complete'] = line.complete
  fields['ambiguous'] = line.ambiguous
  return fields
}

/** Keys come from log lines: `__proto__` must become a property like any other. */
export function setOwn(fields: Record<string, unknown>, key: string, value: unknown): void {
  if (Object.hasOwn(fields, key)) return
  Object.defineProperty(fields, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  })
}
