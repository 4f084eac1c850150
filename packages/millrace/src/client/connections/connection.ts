import type { Duplex } from 'node:stream'
import { CodecError, failure, type MillraceError } from '../../errors/index.ts'
import type { Clock, Timer } from '../../kit/index.ts'
import {
  apis,
  decodeResponse,
  encodeRequest,
  readCorrelationId,
  type AnyApi,
  type RequestInput,
  type ResponseOf,
} from '../../protocol/index.ts'
import { events } from '../../telemetry/index.ts'
import { formatAddress, type BrokerAddress } from './address.ts'
import {
  commonVersion,
  unknownRanges,
  wantedRange,
  type ApiRanges,
  type VersionBounds,
} from './api-ranges.ts'
import type { TlsOptions } from './dial.ts'
import { FrameReader } from './frame-reader.ts'

/**
 * One connection to one broker.
 *
 * - ApiVersions goes first: version 3, and on UNSUPPORTED_VERSION (35) the version that the answer names,
 *   which is in the v0 layout then (KIP-511). Every later request takes the highest version both sides speak.
 * - Requests of one loop turn leave in one writev. Answers are matched by correlation id.
 * - A request that is not answered in time closes the socket: a later answer would be matched to nothing, and
 *   Kafka works on one request of a connection at a time, so what waits behind it would not be answered either.
 *   Everything that waits is rejected, retriable.
 * - One timer for all deadlines, armed only while something waits; an idle connection wakes nobody.
 *
 * Not done: SASL.
 */

export interface ConnectionSettings {
  readonly clientId: string
  readonly softwareVersion: string
  readonly tls?: TlsOptions | undefined
  readonly requestTimeoutMs: number
  readonly clock: Clock
  /** False: while no answer is awaited, the open socket does not keep the process from ending. Default true. */
  readonly holdsProcess?: boolean | undefined
}

export interface NegotiationSettings extends ConnectionSettings {
  /** Ends the stream while the two sides have not agreed yet. */
  readonly signal?: AbortSignal
}

export interface RequestOptions extends VersionBounds {
  /** Default: the client's requestTimeoutMs. For answers that wait on purpose (Fetch, JoinGroup) give more. */
  readonly timeoutMs?: number | undefined
  /** Abandons the wait, not the request: the broker may still act on it. */
  readonly signal?: AbortSignal | undefined
}

interface Pending {
  readonly api: AnyApi
  readonly version: number
  readonly timeoutMs: number
  readonly deadlineMs: number
  resolve: (answer: never) => void
  reject: (error: unknown) => void
}

/** Below 336 MiB, where the first bytes of a TLS alert would read as a size. */
const maxFrameBytes = 128 * 1024 * 1024
const unsupportedVersion = 35

export class Connection {
  readonly address: BrokerAddress
  readonly purpose: string
  readonly #settings: ConnectionSettings
  readonly #stream: Duplex
  readonly #frames = new FrameReader(maxFrameBytes)
  readonly #pending = new Map<number, Pending>()
  readonly #closing: (() => void)[] = []
  #ranges: ApiRanges = unknownRanges
  #correlationId = 0
  #isCorked = false
  #isOpen = true
  #isReady = false
  #timer: Timer | undefined
  #timerAtMs = Infinity

  private constructor(
    stream: Duplex,
    address: BrokerAddress,
    purpose: string,
    settings: ConnectionSettings,
  ) {
    this.#stream = stream
    this.address = address
    this.purpose = purpose
    this.#settings = settings
    stream.on('data', (chunk: Buffer) => {
      this.#read(chunk)
    })
    stream.on('error', (error: Error) => {
      this.#lost(error.message, error)
    })
    stream.on('end', () => {
      // What OpenSSL and Java do with plain text: no alert, only an end.
      const isFirst = !this.#isReady && this.#settings.tls === undefined
      const hint = isFirst ? ' before it answered, as TLS ports do when asked in plain text' : ''
      this.#lost(`the broker closed it${hint}`)
    })
    stream.on('close', () => {
      this.#lost('closed')
    })
  }

  /**
   * Takes over an open stream and learns what the broker speaks.
   * @throws MR_CONNECTION_LOST, MR_CONNECTION_WRONG_PEER, MR_REQUEST_TIMEOUT, MR_CONNECTION_VERSION_UNSUPPORTED
   */
  static async negotiate(
    stream: Duplex,
    address: BrokerAddress,
    purpose: string,
    settings: NegotiationSettings,
  ): Promise<Connection> {
    const connection = new Connection(stream, address, purpose, settings)
    try {
      await connection.#negotiate(settings.signal)
    } catch (error) {
      connection.close('no agreement about versions')
      throw error
    }
    return connection
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Requests without an answer so far. */
  get waiting(): number {
    return this.#pending.size
  }

  /** `host:port` */
  get name(): string {
    return formatAddress(this.address)
  }

  /** The version that a request would take now, or undefined when the two sides share none within the bounds. */
  versionOf(api: AnyApi, bounds: VersionBounds = {}): number | undefined {
    return commonVersion(api, this.#ranges, bounds)
  }

  /**
   * Sends a request and resolves with its decoded answer. Error codes inside the answer are the caller's to read.
   * @throws MR_CONNECTION_VERSION_UNSUPPORTED; retriable: MR_REQUEST_TIMEOUT, MR_CONNECTION_LOST
   */
  async request<A extends AnyApi>(
    api: A,
    body: RequestInput<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A>> {
    return this.#exchange(api, this.#versionFor(api, options), body, options)
  }

  /** Sends a request that has no answer (Produce with acks 0). Resolves when its bytes are with the system. */
  async notify<A extends AnyApi>(
    api: A,
    body: RequestInput<A>,
    bounds: VersionBounds = {},
  ): Promise<void> {
    const version = this.#versionFor(api, bounds)
    if (!this.#isOpen) throw this.#lostError('it is closed')
    return new Promise((resolve, reject) => {
      this.#write(encodeRequest(api, version, this.#header(), body), (error) => {
        if (error) reject(this.#lostError(error.message, error))
        else resolve()
      })
    })
  }

  /** Calls the listener once, when the connection has ended for whatever reason (at once if it has already). */
  onClose(listener: () => void): void {
    if (this.#isOpen) this.#closing.push(listener)
    else listener()
  }

  /** Ends the connection; what waits is rejected as lost. Idempotent. */
  close(reason = 'the client closed it'): void {
    this.#lost(reason)
  }

  async #negotiate(signal: AbortSignal | undefined): Promise<void> {
    const { softwareVersion } = this.#settings
    const software = { clientSoftwareName: 'millrace', clientSoftwareVersion: softwareVersion }
    const newest = Math.min(3, apis.apiVersions.versions[1])
    let answer = await this.#exchange(apis.apiVersions, newest, software, { signal })
    if (answer.errorCode === unsupportedVersion) {
      const offered = answer.apiKeys.find(({ apiKey }) => apiKey === apis.apiVersions.key)
      const version = Math.max(0, Math.min(newest, offered?.maxVersion ?? 0))
      answer = await this.#exchange(apis.apiVersions, version, software, { signal })
    }
    if (answer.errorCode !== 0) {
      throw failure('MR_CONNECTION_VERSION_UNSUPPORTED', {
        address: this.name,
        api: 'ApiVersions',
        wanted: [0, newest],
        offered: null,
      })
    }
    const ranges = new Map<number, readonly [number, number]>()
    for (const { apiKey, minVersion, maxVersion } of answer.apiKeys)
      ranges.set(apiKey, [minVersion, maxVersion])
    this.#ranges = ranges
    this.#isReady = true
    const { clientId } = this.#settings
    events.connectionOpened.publish({
      clientId,
      broker: this.name,
      node: this.address.nodeId,
      purpose: this.purpose,
    })
  }

  #versionFor(api: AnyApi, bounds: VersionBounds): number {
    const version = commonVersion(api, this.#ranges, bounds)
    if (version !== undefined) return version
    throw failure('MR_CONNECTION_VERSION_UNSUPPORTED', {
      address: this.name,
      api: api.name,
      wanted: wantedRange(api, bounds),
      offered: this.#ranges.get(api.key) ?? null,
    })
  }

  #exchange<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestInput<A>,
    { timeoutMs = this.#settings.requestTimeoutMs, signal }: RequestOptions,
  ): Promise<ResponseOf<A>> {
    if (!this.#isOpen) return Promise.reject(this.#lostError('it is closed'))
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    const header = this.#header()
    const slices = encodeRequest(api, version, header, body)
    return new Promise<ResponseOf<A>>((resolve, reject) => {
      const pending: Pending = {
        api,
        version,
        timeoutMs,
        deadlineMs: this.#settings.clock.monotonicMs() + timeoutMs,
        resolve,
        reject,
      }
      if (signal) abandonOnAbort(pending, signal)
      if (this.#pending.size === 0) this.#hold(true)
      this.#pending.set(header.correlationId, pending)
      this.#arm(pending.deadlineMs)
      this.#write(slices)
    })
  }

  #header(): { readonly correlationId: number; readonly clientId: string } {
    this.#correlationId = (this.#correlationId + 1) & 0x7fff_ffff
    return { correlationId: this.#correlationId, clientId: this.#settings.clientId }
  }

  #write(slices: readonly Buffer[], written?: (error?: Error | null) => void): void {
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#stream.cork()
      process.nextTick(() => {
        this.#isCorked = false
        this.#stream.uncork()
      })
    }
    const last = slices.length - 1
    for (let at = 0; at < last; at++) this.#stream.write(slices[at])
    this.#stream.write(slices[last], written)
  }

  #read(chunk: Buffer): void {
    if (!this.#isOpen) return
    try {
      const stray = this.#frames.read(chunk, (frame) => {
        this.#answer(frame)
      })
      if (!stray) return
      const context = { address: this.name, peer: stray.peer }
      this.#end(failure('MR_CONNECTION_WRONG_PEER', context), stray.peer)
    } catch (error) {
      // A frame that cannot be read leaves the stream without a place to go on from.
      if (!(error instanceof CodecError)) throw error
      this.#end(error, error.message)
    }
  }

  #answer(frame: Buffer): void {
    const id = frame.length < 4 ? -1 : readCorrelationId(frame)
    const pending = this.#pending.get(id)
    if (!pending) {
      const reason = `an answer to a request that was never sent (correlation id ${id})`
      this.#end(this.#lostError(reason), reason)
      return
    }
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#hold(false)
    const { api } = pending
    let answer: unknown
    try {
      answer = decodeResponse(api, pending.version, frame)
    } catch (error) {
      pending.reject(error)
      throw error
    }
    if (events.requestAnswered.isHeard) this.#publishAnswered(pending, frame.length)
    pending.resolve(answer as never)
  }

  #publishAnswered({ api, version, deadlineMs, timeoutMs }: Pending, bytes: number): void {
    const { clientId, clock } = this.#settings
    events.requestAnswered.publish({
      clientId,
      broker: this.name,
      node: this.address.nodeId,
      api: api.name,
      version,
      bytes,
      durationMs: clock.monotonicMs() - (deadlineMs - timeoutMs),
    })
  }

  #hold(isWaiting: boolean): void {
    if (this.#settings.holdsProcess !== false) return
    const stream = this.#stream as Duplex & { ref?: () => void; unref?: () => void }
    if (isWaiting) stream.ref?.()
    else stream.unref?.()
  }

  #arm(deadlineMs: number): void {
    if (deadlineMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = deadlineMs
    const { clock } = this.#settings
    const fire = (): void => {
      this.#overdue()
    }
    this.#timer = clock.after(Math.ceil(deadlineMs - clock.monotonicMs()), fire, { unref: true })
  }

  #overdue(): void {
    this.#timerAtMs = Infinity
    const nowMs = this.#settings.clock.monotonicMs()
    let nextMs = Infinity
    for (const pending of this.#pending.values()) {
      if (pending.deadlineMs <= nowMs) {
        const { timeoutMs, api } = pending
        const error = failure('MR_REQUEST_TIMEOUT', {
          address: this.name,
          api: api.name,
          timeoutMs,
        })
        pending.reject(error)
        this.#end(this.#lostError(error.message, error), error.message)
        return
      }
      nextMs = Math.min(nextMs, pending.deadlineMs)
    }
    if (nextMs < Infinity) this.#arm(nextMs)
  }

  #lost(reason: string, cause?: Error): void {
    if (this.#isOpen) this.#end(this.#lostError(reason, cause), reason)
  }

  #lostError(reason: string, cause?: Error): MillraceError {
    const options = cause ? { cause } : undefined
    return failure('MR_CONNECTION_LOST', { address: this.name, reason }, options)
  }

  #end(error: MillraceError, reason: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#timer?.cancel()
    this.#stream.destroy()
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const pending of waiting) pending.reject(error)
    if (this.#isReady) {
      events.connectionClosed.publish({
        clientId: this.#settings.clientId,
        broker: this.name,
        node: this.address.nodeId,
        purpose: this.purpose,
        reason,
        waiting: waiting.length,
      })
    }
    for (const listener of this.#closing.splice(0)) listener()
  }
}

/** The entry stays until its answer comes or its time is over; only the caller stops waiting. */
function abandonOnAbort(pending: Pending, signal: AbortSignal): void {
  const { resolve, reject } = pending
  const onAbort = (): void => {
    reject(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  pending.resolve = (answer) => {
    signal.removeEventListener('abort', onAbort)
    resolve(answer)
  }
  pending.reject = (error) => {
    signal.removeEventListener('abort', onAbort)
    reject(error)
  }
}
