import type { Socket } from 'node:net'
import type { Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Command } from '../command.ts'
import { Later, nothing, ReplyError, type Reply } from '../reply.ts'
import { CommandParser, ProtocolError } from '../resp/command-parser.ts'
import { ReplyWriter } from '../resp/reply-writer.ts'
import type { Session } from '../session.ts'
import type { User } from './users.ts'

/** Bytes read ahead while a command blocks. Reading on is what notices a peer that leaves. */
const readAheadBytes = 1024 * 1024
/** A peer that leaves replies unread for so long, beyond what may be unsent, is disconnected. */
const unreadMs = 2000

/** What a connection needs of the gateway around it. */
export interface ConnectionHost {
  readonly clock: Clock
  readonly outputBytes: number
  /** Runs a command. Never throws and never rejects: what goes wrong is a ReplyError. */
  dispatch(command: Command, connection: Connection): Reply | Promise<Reply> | Later
  /** The connection is over: parts give back what it held. Called once. */
  over(connection: Connection): void
}

/** A reply's place in the order of the connection. */
interface Slot {
  reply: Reply | undefined
}

/** Shared: every run of commands empties it before anything else can write. */
const shared = new ReplyWriter()

/**
 * One client's socket.
 *
 *     read chunk -> CommandParser -> dispatch -> (replies in front are there) -> ReplyWriter -> one write a turn
 *
 * - Commands run one after the other; the next may start while a `Later` is on its way. Replies leave in order, and
 *   what is ready leaves before a command blocks.
 * - While a command blocks, up to 1 MiB is read ahead.
 * - The peer's end aborts `signal`: what blocks ends, what was sent before is answered, then the connection closes.
 * - Replies that are not read are bounded.
 */
export class Connection implements Session {
  readonly id: number
  readonly address: string
  readonly openedAtMs: number
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #parser = new CommandParser()
  readonly #gone = new AbortController()
  readonly #slots: Slot[] = []
  #isBusy = false
  #isPaused = false
  #isChoked = false
  #hasEnded = false
  #isClosing = false
  #isOver = false
  #sentAtChoke = 0
  /** When the command at hand began to arrive; 0: none is unfinished. */
  #insideSinceMs = 0

  name: string | undefined
  user: User
  protocol: 2 | 3 = 2
  isDurable: boolean
  wantsMeta = false
  wantsNotify = false
  isMonitor = false
  isKilled = false
  libraryName = ''
  libraryVersion = ''
  lastCommand = ''
  lastCommandAtMs: number
  commands = 0

  constructor(options: {
    readonly id: number
    readonly socket: Socket
    readonly address: string
    readonly user: User
    readonly isDurable: boolean
    readonly host: ConnectionHost
  }) {
    const { id, socket, address, user, isDurable, host } = options
    this.id = id
    this.address = address
    this.user = user
    this.isDurable = isDurable
    this.#socket = socket
    this.#host = host
    this.openedAtMs = host.clock.now()
    this.lastCommandAtMs = this.openedAtMs
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => {
      this.#hasEnded = true
      this.#gone.abort()
      this.#work()
    })
    socket.on('drain', () => {
      this.#isChoked = false
      this.#work()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#end())
  }

  get signal(): AbortSignal {
    return this.#gone.signal
  }

  get who(): string {
    return this.name ?? this.address
  }

  /** Bytes of replies that the peer has not taken. */
  get unsent(): number {
    return this.#socket.writableLength
  }

  /** A command waits for something. */
  get isBlocked(): boolean {
    return this.#isBusy
  }

  /** Since when the command at hand has been arriving; 0: nothing is unfinished. */
  get insideSinceMs(): number {
    return this.#insideSinceMs
  }

  send(reply: Reply): void {
    if (this.#isOver) return
    const writer = new ReplyWriter()
    writer.write(reply, this.protocol)
    this.#flush(writer)
    if (this.unsent > this.#host.outputBytes) this.disconnect('replies are not read')
  }

  push(items: readonly Reply[]): void {
    if (this.#isOver) return
    const writer = new ReplyWriter()
    writer.push(items, this.protocol)
    this.#flush(writer)
    if (this.unsent > this.#host.outputBytes) this.disconnect('replies are not read')
  }

  /** Takes no more commands, and closes once what is answered has left. */
  closeAfterReplies(): void {
    this.#isClosing = true
    if (!this.#isBusy && this.#slots.length === 0) this.#finish()
  }

  /** At once, and told. */
  disconnect(reason: string): void {
    if (this.#isOver) return
    events.gatewayDisconnected.publish({ client: this.who, address: this.address, reason })
    this.#socket.destroy()
    this.#end()
  }

  #read(chunk: Buffer): void {
    if (this.#isClosing) return
    if (this.commands === 0 && !this.#parser.isInside && isNotRedis(chunk)) {
      this.disconnect('it speaks TLS or HTTP')
      return
    }
    if (!this.#parser.isInside) this.#insideSinceMs = this.#host.clock.monotonicMs()
    this.#parser.push(chunk)
    this.#work()
  }

  #work(): void {
    while (!this.#isBusy && !this.#isClosing && !this.#isOver && !this.#isChoked) {
      let command: Command | undefined
      try {
        command = this.#parser.next()
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        events.gatewayProtocolError.publish({
          client: this.who,
          address: this.address,
          error: error.message,
        })
        this.#answer(error)
        break
      }
      if (command === undefined) {
        if (!this.#parser.isInside) this.#insideSinceMs = 0
        break
      }
      this.#run(command)
    }
    this.#flush(shared)
    this.#settleState()
  }

  #run(command: Command): void {
    this.lastCommandAtMs = this.#host.clock.now()
    this.lastCommand = command.name
    this.commands++
    const outcome = this.#host.dispatch(command, this)
    if (outcome instanceof Promise) {
      const slot: Slot = { reply: undefined }
      this.#slots.push(slot)
      this.#isBusy = true
      void this.#settle(slot, outcome, true)
    } else if (outcome instanceof Later) {
      const slot: Slot = { reply: undefined }
      this.#slots.push(slot)
      void this.#settle(slot, outcome.reply, false)
    } else {
      this.#answer(outcome)
    }
  }

  async #settle(slot: Slot, reply: Promise<Reply>, wasBlocking: boolean): Promise<void> {
    slot.reply = await reply
    if (wasBlocking) this.#isBusy = false
    this.#advance()
    this.#work()
  }

  #answer(reply: Reply): void {
    if (this.#slots.length > 0) {
      this.#slots.push({ reply })
      return
    }
    this.#write(reply)
  }

  /** Writes what is answered without a gap. */
  #advance(): void {
    let slot = this.#slots[0]
    while (slot?.reply !== undefined) {
      this.#slots.shift()
      this.#write(slot.reply)
      slot = this.#slots[0]
    }
  }

  #write(reply: Reply): void {
    if (reply === nothing || this.#isOver) return
    shared.write(reply, this.protocol)
    if (reply instanceof ReplyError && reply.closes) this.#isClosing = true
    if (shared.length > 256 * 1024) this.#flush(shared)
  }

  #flush(writer: ReplyWriter): void {
    const parts = writer.take()
    if (parts.length === 0 || this.#isOver) return
    const socket = this.#socket
    if (parts.length > 1) socket.cork()
    for (const part of parts) socket.write(part)
    if (parts.length > 1) socket.uncork()
    if (this.unsent > this.#host.outputBytes) this.#choke()
  }

  /** Takes no more commands until the peer has read; a peer that reads nothing at all goes. */
  #choke(): void {
    if (this.#isChoked) return
    this.#isChoked = true
    const { clock } = this.#host
    const look = (): void => {
      if (this.#isOver || !this.#isChoked) return
      const sent = this.#socket.bytesWritten - this.unsent
      if (sent === this.#sentAtChoke) {
        this.disconnect('replies are not read')
        return
      }
      this.#sentAtChoke = sent
      clock.after(unreadMs, look, { unref: true })
    }
    this.#sentAtChoke = this.#socket.bytesWritten - this.unsent
    clock.after(unreadMs, look, { unref: true })
  }

  #settleState(): void {
    if (this.#isOver) return
    const isIdle = !this.#isBusy && this.#slots.length === 0
    if (isIdle && (this.#isClosing || (this.#hasEnded && !this.#isChoked))) {
      this.#finish()
      return
    }
    const shouldPause = this.#isChoked || (this.#isBusy && this.#parser.buffered > readAheadBytes)
    if (shouldPause === this.#isPaused) return
    this.#isPaused = shouldPause
    if (shouldPause) this.#socket.pause()
    else this.#socket.resume()
  }

  #finish(): void {
    this.#isClosing = true
    this.#socket.end()
    // What comes from now on is thrown away; a peer that keeps its side open is not waited for.
    this.#socket.resume()
    this.#host.clock.after(1000, () => this.#socket.destroy(), { unref: true })
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#isClosing = true
    this.#gone.abort()
    this.#host.over(this)
  }
}

/** The first bytes of a TLS hello, or of a request that a browser was tricked into. */
function isNotRedis(chunk: Buffer): boolean {
  if (chunk[0] === 0x16 && (chunk.length < 2 || chunk[1] === 0x03)) return true
  const start = chunk.subarray(0, 5).toString('latin1').toUpperCase()
  return start === 'POST ' || start === 'HOST:'
}
