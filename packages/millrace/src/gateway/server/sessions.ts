import { deferred, sleep, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { GatewayPart } from '../command.ts'
import { ReplyError } from '../reply.ts'
import type { Connection } from './connection.ts'

/** How long a name is waited for whose connection is closing, and how long QUIT waits for the close. */
const takeoverMs = 5000

/** A connection whose parts are giving back what it held. */
interface Ending {
  readonly connection: Connection
  readonly done: Promise<void>
}

/**
 * Who is connected, under which name. A name is free once all parts are done with the connection that had it: then its
 * commits are durable, and a successor starts behind them.
 */
export class Sessions {
  readonly byId: Map<number, Connection>
  readonly #clock: Clock
  readonly #parts: readonly GatewayPart[]
  readonly #byName = new Map<string, Connection>()
  readonly #endings = new Map<Connection, Ending>()
  isDraining = false

  constructor(clock: Clock, parts: readonly GatewayPart[], byId: Map<number, Connection>) {
    this.byId = byId
    this.#clock = clock
    this.#parts = parts
  }

  /** Connections that are over and not given back yet. */
  get ending(): readonly Promise<void>[] {
    return Array.from(this.#endings.values(), ({ done }) => done)
  }

  /**
   * Names a connection.
   * @throws ReplyError with the text of the first check that fails, in the order of the protocol
   */
  async name(connection: Connection, name: string): Promise<void> {
    const closes = connection.name === undefined
    const deadlineMs = this.#clock.monotonicMs() + takeoverMs
    let hasLooked = false
    for (;;) {
      if (this.isDraining) throw new ReplyError('CONS Server shutdown', { closes })
      const holder = this.#byName.get(name)
      if (holder === undefined) break
      const ending =
        this.#endings.get(holder)?.done ??
        (holder.signal.aborted && holder !== connection ? holder.whenOver() : undefined)
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (ending !== undefined && leftMs > 0) {
        await within(this.#clock, ending, leftMs)
      } else if (hasLooked || holder === connection) {
        throw new ReplyError(`CONS id ${name} is already taken`, { closes })
      } else {
        // The end of a holder that left before this connection came may lie unread in its socket.
        hasLooked = true
        await turnOfTheLoop()
      }
      // A name of a connection that went meanwhile would never be free again.
      if (this.byId.get(connection.id) !== connection || this.#endings.has(connection))
        throw new ReplyError('CONS the connection is closed', { closes })
    }
    if (connection.name !== undefined)
      throw new ReplyError(`CONS Client ID is already set to ${connection.name}`)
    if (!name.includes(':')) throw new ReplyError('CONS Cannot parse group.id')
    connection.name = name
    this.#byName.set(name, connection)
  }

  /** Gives back what a connection held, once; resolves when its name is free, after five seconds at the latest. */
  release(connection: Connection): Promise<void> {
    const known = this.#endings.get(connection)
    if (known !== undefined) return within(this.#clock, known.done, takeoverMs)
    const { promise, resolve } = deferred()
    const ending: Ending = { connection, done: promise }
    this.#endings.set(connection, ending)
    void this.#giveBack(connection).then(resolve)
    return within(this.#clock, promise, takeoverMs)
  }

  /** The socket is gone. */
  over(connection: Connection): void {
    this.byId.delete(connection.id)
    void this.#afterwards(connection)
  }

  /** A part that hangs does not keep the name for ever. */
  async #afterwards(connection: Connection): Promise<void> {
    await this.release(connection)
    this.#free(connection)
  }

  async #giveBack(connection: Connection): Promise<void> {
    await Promise.all(this.#parts.map((part) => told(part, connection)))
    this.#free(connection)
  }

  #free(connection: Connection): void {
    const { name } = connection
    if (name !== undefined && this.#byName.get(name) === connection) this.#byName.delete(name)
    if (!this.byId.has(connection.id)) this.#endings.delete(connection)
  }
}

async function within(clock: Clock, work: Promise<void>, ms: number): Promise<void> {
  const done = new AbortController()
  await Promise.race([work, sleep(clock, ms, done.signal)])
  done.abort(new Error('done'))
}

async function told(part: GatewayPart, connection: Connection): Promise<void> {
  try {
    await part.closed?.(connection)
  } catch (error) {
    events.gatewayDefect.publish({ command: 'close', client: connection.who, error })
  }
}

/** All sockets have been looked at once. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
