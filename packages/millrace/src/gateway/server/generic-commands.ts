import type { Command } from '../command.ts'
import type { GatewayCore } from '../gateway-core.ts'
import { MapReply, nullArray, ok, ReplyError, Simple, type Reply } from '../reply.ts'
import { text } from './arguments.ts'
import { wrongNumber } from './client-commands.ts'
import type { Connection } from './connection.ts'
import { infoText, type InfoFacts } from './info.ts'
import type { Monitors } from './monitors.ts'
import type { Sessions } from './sessions.ts'
import type { SlowLog } from './slow-log.ts'
import { permit, type Users } from './users.ts'

export type ServerCommand = (command: Command, connection: Connection) => Reply | Promise<Reply>

export interface GenericParts {
  readonly core: GatewayCore
  readonly sessions: Sessions
  readonly monitors: Monitors
  readonly slowLog: SlowLog
  readonly users: Users
  readonly version: string
  info(): InfoFacts
  /** Names of all commands, for COMMAND. */
  names(): readonly string[]
}

/** Of the original. */
export function originalCommands({
  sessions,
  monitors,
}: GenericParts): Readonly<Record<string, ServerCommand>> {
  return {
    PING: () => new Simple('PONG'),
    async QUIT(_command, connection) {
      await sessions.release(connection)
      connection.closeAfterReplies()
      return 'OK'
    },
    MONITOR(command, connection) {
      if (command.args.length > 0)
        throw new ReplyError("ERR command 'monitor' does not accept any extra arguments")
      permit(connection, 'admin')
      const begin = (): Reply =>
        monitors.add(connection) ? ok : new ReplyError('ERR there are 64 monitors already')
      // Lines must not overtake the reply that opens them, nor the replies before it.
      return connection.whenAnswered()?.then(begin) ?? begin()
    },
  }
}

/** What the original lacked and Redis clients ask for. */
export function extensionCommands(parts: GenericParts): Readonly<Record<string, ServerCommand>> {
  const { users, slowLog, sessions, version } = parts
  const login = (connection: Connection, name: string, password: string): void => {
    if (!users.areNeeded)
      throw new ReplyError(
        'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
      )
    const user = users.login(name, password)
    if (user === undefined)
      throw new ReplyError('WRONGPASS invalid username-password pair or user is disabled.')
    connection.user = user
  }
  return {
    ECHO: (command) => {
      if (command.args.length !== 1) throw wrongNumber('echo')
      return command.args[0] ?? null
    },
    SELECT: (command) => {
      if (command.args.length !== 1) throw wrongNumber('select')
      if (text(command, 0) !== '0') throw new ReplyError('ERR DB index is out of range')
      return ok
    },
    AUTH(command, connection) {
      const { length } = command.args
      if (length < 1 || length > 2) throw wrongNumber('auth')
      if (length === 1) login(connection, 'default', text(command, 0))
      else login(connection, text(command, 0), text(command, 1))
      return ok
    },
    async HELLO(command, connection) {
      const { args } = command
      const word = text(command, 0)
      if (args.length > 0 && word !== '2' && word !== '3') {
        throw new ReplyError(
          /^\d+$/.test(word)
            ? 'NOPROTO unsupported protocol version'
            : 'ERR Protocol version is not an integer or out of range',
        )
      }
      for (let at = 1; at < args.length;) {
        const option = text(command, at).toUpperCase()
        if (option === 'AUTH' && at + 2 < args.length) {
          login(connection, text(command, at + 1), text(command, at + 2))
          at += 3
        } else if (option === 'SETNAME' && at + 1 < args.length) {
          requireKnown(connection)
          await sessions.name(connection, text(command, at + 1))
          at += 2
        } else {
          throw new ReplyError(`ERR Syntax error in HELLO option '${text(command, at)}'`)
        }
      }
      if (!connection.user.isKnown)
        throw new ReplyError(
          'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
        )
      if (args.length > 0) connection.protocol = word === '3' ? 3 : 2
      return new MapReply([
        ['server', 'redis'],
        ['version', version],
        ['proto', connection.protocol],
        ['id', connection.id],
        ['mode', 'standalone'],
        ['role', 'master'],
        ['modules', []],
      ])
    },
    RESET(_command, connection) {
      parts.monitors.remove(connection)
      connection.protocol = 2
      connection.isDurable = parts.core.settings.isDurable
      connection.wantsMeta = false
      connection.wantsNotify = false
      connection.user = users.initial
      return new Simple('RESET')
    },
    INFO: (command) =>
      infoText(
        parts.info(),
        command.args.map((_, at) => text(command, at)),
      ),
    TIME(): Reply {
      const micros = Math.round(parts.core.clock.now() * 1000)
      return [String(Math.floor(micros / 1e6)), String(micros % 1e6)]
    },
    COMMAND(command) {
      const sub = text(command, 0).toUpperCase()
      if (sub === 'COUNT') return parts.names().length
      if (sub === 'LIST') return parts.names().map((name) => name.toLowerCase())
      if (sub === 'DOCS') return new MapReply([])
      if (sub === 'INFO') return command.args.slice(1).map(() => nullArray)
      if (sub === '') return []
      throw new ReplyError(`ERR unknown subcommand '${text(command, 0)}'. Try COMMAND HELP.`)
    },
    CONFIG(command) {
      const sub = text(command, 0).toUpperCase()
      if (sub === 'GET') return new MapReply([])
      throw new ReplyError(
        `ERR CONFIG ${sub} is not supported: the gateway is configured where it is started`,
      )
    },
    CLUSTER: () => {
      throw new ReplyError('ERR This instance has cluster support disabled')
    },
    SLOWLOG(command, connection) {
      permit(connection, 'admin')
      const sub = text(command, 0).toUpperCase()
      if (sub === 'LEN') return slowLog.length
      if (sub === 'RESET') {
        slowLog.reset()
        return ok
      }
      if (sub !== 'GET')
        throw new ReplyError(`ERR unknown subcommand '${text(command, 0)}'. Try SLOWLOG HELP.`)
      const count = command.args.length > 1 ? Number(text(command, 1)) : 10
      if (!Number.isInteger(count) || count < -1)
        throw new ReplyError('ERR count should be greater than or equal to -1')
      return count === 0 ? [] : slowLog.entries(count < 0 ? 128 : count)
    },
  }
}

export function requireKnown({ user }: Connection): void {
  if (!user.isKnown) throw new ReplyError('NOAUTH Authentication required.')
}
