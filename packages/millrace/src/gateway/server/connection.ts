import type { Socket } from 'node:net'
import { LoopWake, type Clock, type Timer } from '../../kit/index.ts'
import type { Command } from '../command.ts'
import { Later, nothing, ReplyError, type Reply } from '../reply.ts'
import { CommandParser, ProtocolError } from '../resp/command-parser.ts'
import { ReplyWriter } from '../resp/reply-writer.ts'
import type { Session } from '../session.ts'
import type { User } from './users.ts'

/** Bytes read ahead while a command blocks. Reading on is what notices a peer that leaves. */
const readAheadBytes = 1024 * 1024
/** Replies on their way at once; more commands wait. */
const mostInFlight = 10_000
/** Commands of one connection before others have their turn. */
const mostPerTurn = 2000
/** Of what is sent beside replies in one turn; more leaves at once. */
const mostBeside = 1000
/** A peer that takes nothing for so long of what is unsent is disconnected. */
const unreadMs = 2000

/** Commands whose replies may come later while more of them run. */
const overlaps: ReadonlySet<string> = new Set(['RPUSHX', 'XADD', 'PUBLISH'])

/** What a connection needs of the gateway around it. */
export interface ConnectionHost {
  readonly clock: Clock
  readonly outputBytes: number
  /** Runs a command. Never throws and never rejects: what goes wrong is a ReplyError. */
  dispatch(command: Command, connection: Connection): Reply | Promise<Reply> | Later
  /** The gateway ends the connection for a reason of its own. */
  disconnected(connection: Connection, reason: string): void
  /** The peer sent what is no command. */
  confused(connection: Connection, error: ProtocolError): void
  /** The connection is over: parts give back what it held. Called once. */
  over(connection: Connection): void
}

/** A reply's place in the order of the connection. */
interface Slot {
  reply: Reply | undefined
  written: (() => void) | undefined
}

interface Beside {
  readonly isPush: boolean
  readonly items: readonly Reply[]
}

/** Shared by turns: whoever writes empties it before another connection runs. */
const shared = new ReplyWriter()
/** The id of the connection whose commands run now, and which so has `shared`; 0: none. */
let running = 0
/** One loop, one for all. */
const wake = new LoopWake()

/**
 * One client's socket.
 *
 *     read chunk -> CommandParser -> dispatch -> (replies in front are there) -> ReplyWriter -> one write a turn
 *
 * - Commands run one after the other; the next may start while a `Later` is on its way. Replies leave in order, and
 *   what is ready leaves before a command blocks.
 * - While a command blocks, up to 1 MiB is read ahead.
 * - The peer's end aborts `signal`: what blocks ends, what was sent before is answered, then the connection closes.
 * - Replies that are not read are bounded, and so are replies on their way.
 */
export class Connection implements Session {
  readonly id: number
  readonly address: string
  readonly openedAtMs: number
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #parser = new CommandParser()
  readonly #gone = new AbortController()
  /** From `#first` on; what lies before has been written. */
  #slots: Slot[] = []
  #first = 0
  /** Replies that are not there yet, of those in `#slots`. */
  #unsettled = 0
  #beside: Beside[] = []
  #onOver: (() => void)[] | undefined
  /** For what is sent here while another connection runs. */
  #spare: ReplyWriter | undefined
  #isBusy = false
  #isPlanned = false
  #isYielding = false
  #isFirst = false
  #ranInTurn = 0
  #isPaused = false
  #isChoked = false
  #hasEnded = false
  #isClosing = false
  #isOver = false
  /** When the command at hand began to arrive; 0: none is unfinished. */
  #insideSinceMs = 0

  name: string | undefined
  user: User
  protocol: 2 | 3 = 2
  isDurable: boolean
  wantsMeta = false
  wantsNotify = false
  isMonitor = false
  /** Something was sent to it beside replies: it waits for more. */
  isListener = false
  libraryName = ''
  libraryVersion = ''
  lastCommand = ''
  lastCommandAtMs: number
  commands = 0
  /** Called when the socket takes bytes again after it was full. */
  onRoom: (() => void) | undefined

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
    socket.on('timeout', () => {
      if (this.#isChoked) this.disconnect('replies are not read')
    })
    socket.on('drain', () => {
      if (this.#isChoked) socket.setTimeout(0)
      this.#isChoked = false
      this.onRoom?.()
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

  /** The socket should be given no more for now: `onRoom` is called when that has changed. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** A command waits for something. */
  get isBlocked(): boolean {
    return this.#isBusy
  }

  /** Since when the command at hand has been arriving; 0: nothing is unfinished, or nothing is waited for. */
  get insideSinceMs(): number {
    return this.#isBusy || this.#isChoked ? 0 : this.#insideSinceMs
  }

  get #writer(): ReplyWriter {
    return running === 0 || running === this.id ? shared : (this.#spare ??= new ReplyWriter())
  }

  get #inFlight(): number {
    return this.#slots.length - this.#first
  }

  send(reply: Reply): void {
    this.#sendBeside(reply, false)
  }

  push(items: readonly Reply[]): void {
    this.#sendBeside(items, true)
  }

  /** Sends several beside the replies, in this turn. */
  sendNow(replies: readonly Reply[]): void {
    if (this.#isOver) return
    this.#writeBeside()
    const writer = this.#writer
    for (const one of replies) writer.write(one, this.protocol)
    if (running !== this.id) this.#flush()
  }

  /** Resolves when all replies of commands before this one are written; undefined: they are. */
  whenAnswered(): Promise<void> | undefined {
    const last = this.#inFlight === 0 || this.#isFirst ? undefined : this.#slots.at(-1)
    if (last === undefined) return undefined
    return new Promise((resolve) => {
      const { written } = last
      last.written = () => {
        written?.()
        resolve()
      }
    })
  }

  /** Resolves when the connection is over. */
  whenOver(): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    return new Promise((resolve) => (this.#onOver ??= []).push(resolve))
  }

  /** Takes no more commands, and closes once what is answered has left. */
  closeAfterReplies(): void {
    this.#isClosing = true
    if (running !== this.id) this.#settleState()
  }

  /** At once, and told. */
  disconnect(reason: string): void {
    if (this.#isOver) return
    this.#host.disconnected(this, reason)
    this.#socket.destroy()
    this.#end()
  }

  #read(chunk: Buffer): void {
    if (this.#isClosing) return
    wake.arrived()
    if (this.commands === 0 && !this.#parser.isInside && isTlsHello(chunk)) {
      this.disconnect('it speaks TLS on a port without')
      return
    }
    this.#parser.push(chunk)
    this.#work()
  }

  #work(): void {
    if (this.#isOver) return
    this.#writeBeside()
    this.#ranInTurn = 0
    this.#runReady()
    this.#flush()
    this.#settleState()
  }

  /** Runs what was read, until a command blocks or nothing is whole. */
  #runReady(): void {
    running = this.id
    let hasRun = false
    while (this.#mayRun()) {
      if (this.#ranInTurn === mostPerTurn) {
        this.#yield()
        break
      }
      let command: Command | undefined
      try {
        command = this.#parser.next()
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        this.#host.confused(this, error)
        this.#answer(error)
        break
      }
      if (command === undefined) {
        if (!this.#parser.isInside) this.#insideSinceMs = 0
        else if (hasRun || this.#insideSinceMs === 0)
          this.#insideSinceMs = this.#host.clock.monotonicMs()
        break
      }
      hasRun = true
      this.#ranInTurn++
      if (command.name === 'POST' || command.name === 'HOST:') {
        // A browser that a page tricked into sending a request here: what follows is its body.
        this.disconnect('it speaks HTTP')
        break
      }
      this.#run(command)
    }
    running = 0
  }

  #yield(): void {
    this.#isYielding = true
    setImmediate(() => {
      this.#isYielding = false
      this.#work()
    })
  }

  #mayRun(): boolean {
    return (
      !this.#isBusy &&
      !this.#isYielding &&
      !this.#isClosing &&
      !this.#isOver &&
      !this.#isChoked &&
      this.#inFlight < mostInFlight
    )
  }

  #run(command: Command): void {
    this.lastCommandAtMs = this.#host.clock.now()
    this.lastCommand = command.name
    this.commands++
    const outcome = this.#dispatched(command)
    if (outcome instanceof Promise) {
      this.#isBusy = true
      void this.#settle(outcome, true)
    } else if (outcome instanceof Later) {
      void this.#settle(outcome.reply, false)
    } else {
      this.#answer(outcome)
    }
  }

  /** What follows messages on their way sees them: only more of those runs meanwhile. */
  #dispatched(command: Command): Reply | Promise<Reply> | Later {
    const host = this.#host
    const answered =
      this.#unsettled === 0 || overlaps.has(command.name) ? undefined : this.whenAnswered()
    if (answered === undefined) return host.dispatch(command, this)
    return answered.then(() => {
      // Its parts have given back what it held.
      if (this.#isOver) return nothing
      // Its own place is the only one that is open now.
      this.#isFirst = true
      const outcome = host.dispatch(command, this)
      this.#isFirst = false
      return outcome instanceof Later ? outcome.reply : outcome
    })
  }

  async #settle(reply: Promise<Reply>, isBlocking: boolean): Promise<void> {
    const slot: Slot = { reply: undefined, written: undefined }
    this.#slots.push(slot)
    this.#unsettled++
    slot.reply = await reply
    this.#unsettled--
    this.#heed(slot.reply)
    // What settles in the same turn leaves in one write, and so does what runs in it.
    if (!this.#isPlanned) {
      this.#isPlanned = true
      process.nextTick(() => {
        this.#isPlanned = false
        this.#advance()
        this.#work()
      })
    }
    if (!isBlocking) return
    this.#isBusy = false
    this.#runReady()
    this.#flush()
  }

  #answer(reply: Reply): void {
    this.#heed(reply)
    if (this.#inFlight > 0) this.#slots.push({ reply, written: undefined })
    else this.#write(reply)
  }

  /** After an error that closes nothing more runs, even while replies in front of it are on their way. */
  #heed(reply: Reply): void {
    if (reply instanceof ReplyError && reply.closes) this.#isClosing = true
  }

  /** Writes what is answered without a gap. */
  #advance(): void {
    const slots = this.#slots
    let at = this.#first
    for (let slot = slots[at]; slot?.reply !== undefined; slot = slots[++at]) {
      this.#write(slot.reply)
      slot.written?.()
    }
    if (at === slots.length) {
      this.#slots = []
      this.#first = 0
    } else if (at > mostInFlight) {
      this.#slots = slots.slice(at)
      this.#first = 0
    } else {
      this.#first = at
    }
  }

  #write(reply: Reply): void {
    if (reply === nothing || this.#isOver) return
    const writer = this.#writer
    writer.write(reply, this.protocol)
    if (writer.length > 256 * 1024) this.#flush()
  }

  /** Between replies, in the order of the calls; what comes from outside a turn leaves at its end, together. */
  #sendBeside(reply: Reply, isPush: boolean): void {
    if (this.#isOver) return
    this.isListener = true
    const one: Beside = { isPush, items: isPush ? (reply as readonly Reply[]) : [reply] }
    if (running === this.id) {
      this.#writeOne(one)
      return
    }
    this.#beside.push(one)
    if (this.#beside.length > mostBeside) {
      this.#sendAllBeside()
    } else if (this.#beside.length === 1) {
      process.nextTick(() => this.#sendAllBeside())
    }
  }

  #sendAllBeside(): void {
    this.#writeBeside()
    this.#flush()
    if (this.unsent > this.#host.outputBytes) this.disconnect('messages are not read')
  }

  #writeBeside(): void {
    if (this.#beside.length === 0) return
    const all = this.#beside
    this.#beside = []
    for (const one of all) this.#writeOne(one)
  }

  #writeOne({ isPush, items }: Beside): void {
    const writer = this.#writer
    if (isPush) writer.push(items, this.protocol)
    else for (const item of items) writer.write(item, this.protocol)
  }

  #flush(): void {
    const parts = this.#writer.take()
    if (parts.length === 0 || this.#isOver) return
    const socket = this.#socket
    if (parts.length > 1) socket.cork()
    for (const part of parts) socket.write(part)
    if (parts.length > 1) socket.uncork()
    wake.answered()
    // Below the socket's own mark nothing would say that it took them.
    if (this.unsent > this.#host.outputBytes && this.isFull) this.#choke()
  }

  /** Takes no more commands until the peer has read; a peer that reads nothing at all goes. */
  #choke(): void {
    if (this.#isChoked) return
    this.#isChoked = true
    // Nothing is read meanwhile, so that only what the peer takes counts as activity.
    this.#socket.setTimeout(unreadMs)
  }

  #settleState(): void {
    if (this.#isOver) return
    const isIdle = !this.#isBusy && this.#inFlight === 0
    const hasMore = this.#isChoked || this.#isYielding
    if (isIdle && (this.#isClosing || (this.#hasEnded && !hasMore))) {
      this.#finish()
      return
    }
    const isBehind = this.#isBusy || this.#isYielding || this.#inFlight >= mostInFlight
    const shouldPause = this.#isChoked || (isBehind && this.#parser.buffered > readAheadBytes)
    if (shouldPause === this.#isPaused) return
    this.#isPaused = shouldPause
    if (shouldPause) this.#socket.pause()
    else this.#socket.resume()
  }

  #finish(): void {
    this.#isClosing = true
    const socket = this.#socket
    this.#writeBeside()
    this.#flush()
    socket.end()
    // What comes from now on is thrown away; a peer that keeps its side open, or takes nothing, is not waited for.
    socket.resume()
    const { clock } = this.#host
    let taken = -1
    let timer: Timer | undefined
    const look = (): void => {
      const now = socket.bytesWritten - socket.writableLength
      if (now === taken) {
        socket.destroy()
        return
      }
      taken = now
      timer = clock.after(unreadMs, look, { unref: true })
    }
    look()
    socket.once('close', () => timer?.cancel())
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#isClosing = true
    this.#beside = []
    this.#gone.abort()
    this.#host.over(this)
    for (const resolve of this.#onOver ?? []) resolve()
  }
}

/** The first bytes of a handshake: a record of type 22, version 3. */
function isTlsHello(chunk: Buffer): boolean {
  return chunk[0] === 0x16 && (chunk.length < 2 || chunk[1] === 0x03)
}
