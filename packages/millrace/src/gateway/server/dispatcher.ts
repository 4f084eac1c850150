import type { Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Command, CommandHandler } from '../command.ts'
import { Later, ReplyError, type Reply } from '../reply.ts'
import { quoteArgument } from '../resp/reply-writer.ts'
import { text } from './arguments.ts'
import type { ClientCommands } from './client-commands.ts'
import type { Connection } from './connection.ts'
import type { Counters } from './counters.ts'
import { requireKnown, type ServerCommand } from './generic-commands.ts'
import type { Monitors } from './monitors.ts'
import { SlowLog } from './slow-log.ts'

type AnyHandler = ServerCommand | CommandHandler

export interface DispatcherParts {
  readonly clock: Clock
  readonly isStrict: boolean
  /** 0: no limit. */
  readonly commandsPerSecond: number
  readonly commands: ReadonlyMap<string, AnyHandler>
  readonly client: ClientCommands
  readonly counters: Counters
  readonly monitors: Monitors
  readonly slowLog: SlowLog
}

/** What may be done before a name and password were given. */
const beforeLogin = new Set(['AUTH', 'HELLO', 'QUIT', 'RESET'])

/** From a command to its reply: who may, which handler, what is counted. */
export class Dispatcher {
  readonly #parts: DispatcherParts
  readonly #rates = new Map<string, { second: number; count: number }>()

  constructor(parts: DispatcherParts) {
    this.#parts = parts
  }

  /** Never throws and never rejects. */
  dispatch(command: Command, connection: Connection): Reply | Promise<Reply> | Later {
    const { clock, counters, monitors, slowLog } = this.#parts
    const startMs = clock.monotonicMs()
    if (monitors.size > 0) monitors.tell(command, connection, clock.now())
    let name = command.name
    let outcome: Reply | Promise<Reply> | Later
    try {
      const handler = this.#handlerOf(command)
      if (handler === undefined) {
        name = 'UNKNOWN'
        outcome = this.#unknown(command)
      } else {
        // Those whom nobody knows share no rate: one of them could use it up, and keep users from logging in.
        if (connection.user.isKnown) this.#limit(connection)
        else if (!beforeLogin.has(name)) requireKnown(connection)
        outcome = handler(command, connection)
      }
    } catch (error) {
      outcome = this.#failed(error, command, connection)
    }
    const heldMs = clock.monotonicMs() - startMs
    if (heldMs >= SlowLog.slowMs) slowLog.note(command, connection, clock.now(), heldMs)
    if (outcome instanceof Promise)
      return this.#settled(outcome, name, startMs, command, connection)
    if (outcome instanceof Later)
      return new Later(this.#settled(outcome.reply, name, startMs, command, connection))
    counters.command(name, !(outcome instanceof ReplyError), heldMs)
    return outcome
  }

  async #settled(
    reply: Promise<Reply>,
    name: string,
    startMs: number,
    command: Command,
    connection: Connection,
  ): Promise<Reply> {
    const { clock, counters } = this.#parts
    let outcome: Reply
    try {
      outcome = await reply
    } catch (error) {
      outcome = this.#failed(error, command, connection)
    }
    counters.command(name, !(outcome instanceof ReplyError), clock.monotonicMs() - startMs)
    return outcome
  }

  #handlerOf(command: Command): AnyHandler | undefined {
    const { commands, client, isStrict } = this.#parts
    if (command.name !== 'CLIENT') return commands.get(command.name)
    const sub = text(command, 0).toUpperCase()
    if (Object.hasOwn(client.original, sub)) return client.original[sub]
    if (!isStrict && Object.hasOwn(client.extensions, sub)) return client.extensions[sub]
    return undefined
  }

  /** As Redis words it, which client libraries parse; in strict mode, and for what has no name, as the original did. */
  #unknown(command: Command): ReplyError {
    const { name, args } = command
    if (name === 'CLIENT' && args.length === 0) return new ReplyError('Command not supported: ')
    if (name === '' || this.#parts.isStrict) {
      const shown = name === 'CLIENT' ? text(command, 0) : (command.spelled?.toString() ?? '')
      return new ReplyError(`Command not supported: ${shown.toUpperCase()}`)
    }
    if (name === 'CLIENT') {
      const sub = quoteArgument(args[0] ?? null, 128).slice(1, -1)
      return new ReplyError(`ERR unknown subcommand '${sub}'. Try CLIENT HELP.`)
    }
    const shown = args.slice(0, 20).map((one) => `'${quoteArgument(one, 128).slice(1, -1)}' `)
    return new ReplyError(
      `ERR unknown command '${quoteArgument(command.spelled, 128).slice(1, -1)}', with args beginning with: ${shown.join('')}`,
    )
  }

  #limit({ user }: Connection): void {
    const { commandsPerSecond, clock } = this.#parts
    if (commandsPerSecond === 0) return
    const second = Math.floor(clock.monotonicMs() / 1000)
    let rate = this.#rates.get(user.name)
    if (rate === undefined) this.#rates.set(user.name, (rate = { second, count: 0 }))
    if (rate.second !== second) {
      rate.second = second
      rate.count = 0
    }
    if (++rate.count > commandsPerSecond)
      throw new ReplyError(`ERR more than ${commandsPerSecond} commands a second`)
  }

  #failed(error: unknown, { name }: Command, { who, signal }: Connection): ReplyError {
    if (error instanceof ReplyError) return error
    // The peer has ended its side, which ends what was on its way for it.
    if (signal.aborted && error instanceof Error && error.name === 'AbortError')
      return new ReplyError('ERR the connection has ended')
    // A defect of ours: told to who runs the gateway, and nothing of it to the peer.
    events.gatewayDefect.publish({ command: name, client: who, error })
    return new ReplyError('ERR internal error')
  }
}
