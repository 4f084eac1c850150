/**
 * The drain's HTTP side: what a Logplex needs from the other end.
 *
 * - Answers 200 only once every line of the body is committed in the broker.
 * - The answer is `HTTP/1.1 200 OK` with `Content-Length: 0`: the sender knows neither chunked bodies nor bodies
 *   that end with the connection, and takes a first line with 1xx for final. So `Expect: 100-continue` gets no 100.
 * - Connections stay open longer than the sender's own idle time of 144 s.
 * - A body is reserved against one budget before it is read.
 *
 * Not done: the spool on disk, syslog over TCP, OTLP, TLS. Without a spool a broker that is away for longer
 * than `holdMs` costs a 503, and a sender gives a body up after three of them.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

import { failure } from '../errors/index.ts'
import {
  parseDuration,
  parseSize,
  systemClock,
  type Clock,
  type Duration,
  type Size,
} from '../kit/index.ts'
import { events } from '../telemetry/index.ts'
import type { RawBody } from './body.ts'
import { ByteBudget } from './byte-budget.ts'
import { DrainCounters, sourceName, type DrainCounts } from './counters.ts'
import { authorise, type Credentials } from './credentials.ts'
import { FramesSeen } from './frames-seen.ts'
import { rebuildSeen, type PastMessage } from './history.ts'
import { Intake, type DrainProducer, type Verdict } from './intake.ts'
import type { DrainTopics } from './record.ts'
import { readSender } from './sender.ts'

export interface DrainOptions {
  /** Default 6514; 0 takes a free one. */
  readonly port?: number
  /** Default `127.0.0.1`. */
  readonly host?: string
  readonly producer: DrainProducer
  /** Default `router`, `logs`, `drain-dlt`; null drops those lines. */
  readonly topics?: Partial<DrainTopics>
  /** Paths that take bodies. Default `/`, `/logs`, `/process`. */
  readonly paths?: readonly string[]
  /** Who may send. Default: everybody, which is right only on a port that nobody else reaches. */
  readonly credentials?: readonly Credentials[]
  /**
   * Reads what the drain's topics hold: at start, so that copies of frames taken before a restart are known, and
   * when the outcome of a write is unknown.
   */
  readonly history?: () => AsyncIterable<PastMessage>
  /** Largest body, before and after unzipping. Default `'1MiB'`. */
  readonly maxBody?: Size
  /** Bytes of bodies in flight over all connections. Default `'32MiB'`. */
  readonly inFlight?: Size
  /** How long an answer waits for the broker before it is 503. Default `'4s'`; the sender itself gives up after 5 s. */
  readonly hold?: Duration
  /** How long a frame id is remembered. Default `'10m'`. */
  readonly remember?: Duration
  /** Frame ids remembered for one source. Default 10,000. */
  readonly framesPerSource?: number
  /** Refuse bodies whose content type is not `application/logplex-1`. Default false. */
  readonly strict?: boolean
  readonly clock?: Clock
}

export interface Drain extends AsyncDisposable {
  readonly port: number
  /** `http://127.0.0.1:6514/` */
  readonly url: string
  counts(): DrainCounts
  /** Bytes of bodies that are held now. */
  readonly held: number
  /** Takes no more, answers what is in flight, at most 5 s. The producer stays open: it is the caller's. */
  stop(): Promise<void>
}

const idleMs = 180_000
const stopMs = 5_000

const statusOf: Readonly<Record<Verdict, number>> = {
  taken: 200,
  duplicate: 200,
  unreadable: 400,
  late: 503,
  failed: 503,
}

/**
 * Starts a drain. Lines of process `router` go to one topic, all others to another; see `DrainRecord`.
 *
 * @throws MR_DRAIN_LISTEN
 * @example
 * await using drain = await startDrain({ port: 0, producer: client.producer() })
 */
export async function startDrain(options: DrainOptions): Promise<Drain> {
  const clock = options.clock ?? systemClock
  const seen = new FramesSeen({
    windowMs: milliseconds(options.remember, 600_000),
    framesPerSource: options.framesPerSource ?? 10_000,
  })
  if (options.history) {
    const messages = await rebuildSeen(seen, options.history(), clock.now())
    events.drainRebuilt.publish({ messages, frames: seen.size })
  }
  const counters = new DrainCounters()
  const budget = new ByteBudget(bytes(options.inFlight, 32 * 1024 * 1024))
  const intake = new Intake({
    producer: options.producer,
    topics: { router: 'router', logs: 'logs', unreadable: 'drain-dlt', ...options.topics },
    seen,
    counters,
    clock,
    holdMs: milliseconds(options.hold, 4_000),
    onError: (error) => events.drainWriteFailed.publish({ error }),
    ...(options.history ? { history: options.history } : {}),
  })
  const handle = requestHandler({
    intake,
    counters,
    budget,
    clock,
    paths: new Set(options.paths ?? ['/', '/logs', '/process']),
    maxBody: bytes(options.maxBody, 1024 * 1024),
    isAllowed: authorise(options.credentials ?? []),
    isStrict: options.strict ?? false,
    isStopping: () => !server.listening,
  })

  const server = createServer({
    keepAliveTimeout: idleMs,
    headersTimeout: idleMs,
    requestTimeout: idleMs + 60_000,
  })
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      void handle(request, response)
    })
  }
  const host = options.host ?? '127.0.0.1'
  const port = await listen(server, host, options.port ?? 6514)
  return {
    port,
    url: `http://${host}:${port}/`,
    counts: () => counters.snapshot(),
    get held() {
      return budget.held
    },
    stop: () => stop(server, clock),
    [Symbol.asyncDispose]: () => stop(server, clock),
  }
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw failure('MR_DRAIN_LISTEN', { host, port, reason }, { cause })
  }
  return (server.address() as AddressInfo).port
}

function stop(server: Server, clock: Clock): Promise<void> {
  if (!server.listening) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = clock.after(stopMs, () => server.closeAllConnections())
    server.close(() => {
      timer.cancel()
      resolve()
    })
    server.closeIdleConnections()
  })
}

interface HandlerParts {
  readonly intake: Intake
  readonly counters: DrainCounters
  readonly budget: ByteBudget
  readonly clock: Clock
  readonly paths: ReadonlySet<string>
  readonly maxBody: number
  readonly isAllowed: (authorization: string | undefined, key: string | null) => boolean
  readonly isStrict: boolean
  readonly isStopping: () => boolean
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

function requestHandler(parts: HandlerParts): Handler {
  const { intake, counters, budget, clock } = parts

  return async (request, response) => {
    const startedMs = clock.monotonicMs()
    const refusal = refuse(request, parts)
    if (refusal) {
      counters.answered(refusal.status)
      events.drainRefused.publish(refusal)
      answer(response, refusal.status, parts.isStopping())
      return
    }
    const announced = Number(request.headers['content-length'] ?? Number.NaN)
    const isPlain = Number.isFinite(announced) && contentEncoding(request) === 'identity'
    const reserved = isPlain ? announced : parts.maxBody
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    if (!(await budget.reserve(reserved, gone.signal))) return

    let settled: Promise<void> | undefined
    try {
      const receivedUs = clock.now() * 1000
      const sender = readSender(request.headers)
      const body = await readAll(request, parts.maxBody)
      if (typeof body === 'string') {
        if (body !== 'gone') refuseBody(response, body, counters)
        return
      }
      const taken = await intake.take(sender, body, receivedUs)
      settled = taken.settled
      const status = statusOf[taken.verdict]
      counters.answered(status)
      answer(response, status, parts.isStopping())
      events.drainBody.publish({
        source: sourceName(sender),
        frames: taken.frames,
        bytes: body.size,
        verdict: taken.verdict,
        ms: clock.monotonicMs() - startedMs,
      })
    } finally {
      // A late body is held by its sends; it counts against the budget until they have settled.
      if (settled) void settled.then(() => budget.release(reserved))
      else budget.release(reserved)
    }
  }
}

interface Refusal {
  readonly status: number
  readonly reason: string
}

function refuse(request: IncomingMessage, parts: HandlerParts): Refusal | undefined {
  const url = URL.parse(request.url ?? '/', 'http://drain')
  if (!url || !parts.paths.has(url.pathname)) return { status: 404, reason: 'no such path' }
  if (request.method !== 'POST') return { status: 405, reason: 'not a POST' }
  if (!parts.isAllowed(request.headers.authorization, url.searchParams.get('key'))) {
    return { status: 401, reason: 'wrong credentials' }
  }
  if (Number(request.headers['content-length'] ?? 0) > parts.maxBody) {
    return { status: 413, reason: 'the body is too large' }
  }
  const type = request.headers['content-type'] ?? ''
  if (parts.isStrict && !/^application\/logplex-1\b/i.test(type)) {
    return { status: 415, reason: `content type ${type.slice(0, 100)}` }
  }
  return undefined
}

type BodyFault = 'gone' | 'too-large' | 'not-gzip'

function refuseBody(
  response: ServerResponse,
  fault: Exclude<BodyFault, 'gone'>,
  counters: DrainCounters,
): void {
  const status = fault === 'too-large' ? 413 : 400
  counters.answered(status)
  events.drainRefused.publish({ status, reason: fault })
  answer(response, status)
}

function contentEncoding(request: IncomingMessage): string {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
  return encoding === '' ? 'identity' : encoding
}

/** The body after unzipping, or what was wrong. */
async function readAll(request: IncomingMessage, maxBody: number): Promise<RawBody | BodyFault> {
  const isZipped = /^(x-)?gzip$/.test(contentEncoding(request))
  const stream: Readable = isZipped ? unzip(request) : request
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      const piece = chunk as Buffer
      size += piece.length
      if (size > maxBody) {
        request.unpipe()
        if (isZipped) stream.destroy()
        return 'too-large'
      }
      chunks.push(piece)
    }
  } catch {
    // Either the connection broke, and nobody waits for an answer, or the bytes are no gzip.
    const isBroken = request.destroyed && !request.complete
    return isBroken || !isZipped ? 'gone' : 'not-gzip'
  }
  return { chunks, size }
}

/** Not `pipeline`: that would destroy the request, and its socket with it, when the bytes are no gzip. */
function unzip(request: IncomingMessage): Readable {
  const gunzip = createGunzip()
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(request.errored ?? undefined)
  })
  return request.pipe(gunzip)
}

function answer(response: ServerResponse, status: number, isStopping = false): void {
  response.statusCode = status
  response.setHeader('Content-Length', 0)
  // Said outright, because Node would close after a request whose `Expect: 100-continue` got no 100.
  response.setHeader('Connection', isStopping ? 'close' : 'keep-alive')
  if (status === 405) response.setHeader('Allow', 'POST')
  if (status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="drain"')
  response.end()
}

function milliseconds(value: Duration | undefined, fallback: number): number {
  return value === undefined ? fallback : (parseDuration(value) ?? fallback)
}

function bytes(value: Size | undefined, fallback: number): number {
  return value === undefined ? fallback : (parseSize(value) ?? fallback)
}
