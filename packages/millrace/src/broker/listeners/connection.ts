import type { Socket } from 'node:net'
import { smallestPooled, type BufferPool, type LoopWake } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Peer } from '../api/define-handler.ts'
import type { BrokerSettings } from '../options.ts'
import type { Dispatcher } from './dispatch.ts'
import { FrameReader } from './frame-reader.ts'

/** Bytes read ahead of a busy connection before its socket is paused. Reading on is what notices a peer that leaves. */
const readAheadBytes = 256 * 1024

/** An answer's place in the order of the connection. */
interface Slot {
  bytes: readonly Buffer[] | undefined
}

/**
 * One client's socket.
 *
 *     read chunk -> FrameReader -> dispatch -> slot -> (slots in front answered) -> write
 *
 * - Answers leave in the order of the requests. One request is worked on at a time, except that the
 *   next may start while a Produce waits for its write.
 * - Nothing is read while more than `maxUnsentBytes` of answers are unsent or `maxPipelined` requests wait.
 * - Whatever is wrong with a request closes this connection and no other.
 */
export class Connection implements Peer {
  readonly id: number
  readonly host: string
  readonly advertised: { readonly host: string; readonly port: number }
  readonly #socket: Socket
  readonly #dispatcher: Dispatcher
  readonly #settings: BrokerSettings
  readonly #reader: FrameReader
  readonly #pool: BufferPool
  readonly #wake: LoopWake
  readonly #gone = new AbortController()
  readonly #slots: Slot[] = []
  #isBusy = false
  #isChoked = false
  #isPaused = false
  #isCorked = false
  #isClosed = false
  #bytesSeen = -1
  #movedAtMs = 0

  constructor(options: {
    readonly id: number
    readonly socket: Socket
    readonly advertised: { readonly host: string; readonly port: number }
    readonly dispatcher: Dispatcher
    readonly settings: BrokerSettings
    readonly pool: BufferPool
    readonly wake: LoopWake
    readonly onClose: () => void
  }) {
    const { id, socket, advertised, dispatcher, settings, pool, wake } = options
    this.id = id
    this.host = `/${(socket.remoteAddress ?? '').replace(/^::ffff:/, '')}`
    this.advertised = advertised
    this.#socket = socket
    this.#dispatcher = dispatcher
    this.#settings = settings
    this.#pool = pool
    this.#wake = wake
    this.#reader = new FrameReader(settings.maxFrameBytes, pool)

    socket.setNoDelay(true)
    // A peer that vanished without a word is found by the kernel's probes.
    socket.setKeepAlive(true, 60_000)
    socket.on('data', (chunk: Buffer) => {
      this.#wake.arrived()
      this.#reader.push(chunk)
      this.#work()
    })
    socket.on('drain', () => {
      this.#isChoked = this.#isOverfull()
      this.#work()
    })
    // A client that ends its side has no use for answers any more, as in Kafka.
    socket.on('end', () => socket.destroy())
    socket.on('error', (error) => this.#end(error.message))
    socket.on('close', () => {
      this.#end('closed by the client')
      options.onClose()
    })
  }

  get signal(): AbortSignal {
    return this.#gone.signal
  }

  /** Whether nothing moved for this long, as far as the calls have seen, and no request is in work. */
  isIdle(nowMs: number, idleMs: number): boolean {
    const bytes = this.#socket.bytesRead + this.#socket.bytesWritten
    const isWorking = this.#slots.length > 0 && this.#socket.writableLength === 0
    if (bytes !== this.#bytesSeen || isWorking) {
      this.#bytesSeen = bytes
      this.#movedAtMs = nowMs
    }
    return nowMs - this.#movedAtMs >= idleMs
  }

  close(reason: string): void {
    this.#end(reason)
  }

  /** Takes nothing more and closes once what is answered has left. */
  finish(reason: string): void {
    if (this.#isClosed) return
    this.#leave(reason)
    this.#socket.destroySoon()
  }

  #work(): void {
    try {
      while (!this.#isBusy && !this.#isChoked && !this.#isClosed) {
        const frame = this.#reader.next()
        if (frame === undefined) break
        this.#begin(frame, this.#reader.lent)
      }
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#mayRead()
  }

  /** @param lent - goes back to the pool once nothing of the request is needed: when its answer is there */
  #begin(frame: Buffer, lent: Buffer | undefined): void {
    const { isPipelined, answer } = this.#dispatcher.dispatch(frame, this)
    // Its batches may wait for their write.
    if (answer === 'none') return
    if (lent !== undefined && !(answer instanceof Promise)) this.#pool.give(lent)
    if (!(answer instanceof Promise) && this.#slots.length === 0) {
      this.#write(answer)
      return
    }
    const slot: Slot = { bytes: undefined }
    this.#slots.push(slot)
    this.#isChoked ||= this.#isOverfull()
    if (!(answer instanceof Promise)) {
      slot.bytes = answer
      return
    }
    this.#isBusy = !isPipelined
    void this.#settle(slot, answer, isPipelined, lent)
  }

  async #settle(
    slot: Slot,
    answer: Promise<readonly Buffer[]>,
    isPipelined: boolean,
    lent: Buffer | undefined,
  ): Promise<void> {
    try {
      slot.bytes = await answer
      if (lent !== undefined) this.#pool.give(lent)
      if (!isPipelined) this.#isBusy = false
      this.#flush()
      this.#work()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Writes what is answered without a gap. */
  #flush(): void {
    if (this.#isClosed) return
    let slot = this.#slots[0]
    while (slot?.bytes !== undefined) {
      this.#slots.shift()
      this.#write(slot.bytes)
      slot = this.#slots[0]
    }
    if (this.#isChoked && !this.#isOverfull()) this.#isChoked = false
  }

  #write(slices: readonly Buffer[]): void {
    const socket = this.#socket
    if (!this.#isCorked) {
      // All answers of this turn leave in one system call.
      this.#isCorked = true
      socket.cork()
      process.nextTick(() => {
        this.#isCorked = false
        socket.uncork()
        this.#wake.answered()
      })
    }
    for (const slice of slices) {
      if (slice.length < smallestPooled) socket.write(slice)
      else socket.write(slice, () => this.#pool.give(slice))
    }
    this.#isChoked ||= this.#isOverfull()
  }

  #isOverfull(): boolean {
    return (
      this.#socket.writableLength > this.#settings.maxUnsentBytes ||
      this.#slots.length >= this.#settings.maxPipelined
    )
  }

  #mayRead(): void {
    if (this.#isClosed) return
    const { buffered } = this.#reader
    const shouldPause =
      (this.#isChoked && buffered > 0) || (this.#isBusy && buffered > readAheadBytes)
    if (shouldPause === this.#isPaused) return
    this.#isPaused = shouldPause
    if (shouldPause) this.#socket.pause()
    else this.#socket.resume()
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return
    events.brokerRequestFailed.publish({ connection: this.id, host: this.host, error })
    this.#end(error instanceof Error ? error.message : String(error))
  }

  #end(reason: string): void {
    if (!this.#isClosed) this.#leave(reason)
    this.#socket.destroy()
  }

  #leave(reason: string): void {
    this.#isClosed = true
    this.#slots.length = 0
    events.brokerConnectionClosed.publish({ connection: this.id, host: this.host, reason })
    this.#gone.abort()
  }
}
