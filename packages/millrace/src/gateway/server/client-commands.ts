import type { Command } from '../command.ts'
import { ok, ReplyError, type Reply } from '../reply.ts'
import type { ProducePart } from '../produce/index.ts'
import { text } from './arguments.ts'
import type { Connection } from './connection.ts'
import type { Sessions } from './sessions.ts'
import { permit } from './users.ts'

type SubCommand = (command: Command, connection: Connection) => Reply | Promise<Reply>

/** What stands behind CLIENT: the original's subcommands, and those that it lacked. */
export interface ClientCommands {
  readonly original: Readonly<Record<string, SubCommand>>
  readonly extensions: Readonly<Record<string, SubCommand>>
}

export function clientCommands(
  sessions: Sessions,
  produce: Pick<ProducePart, 'failures'>,
): ClientCommands {
  return {
    original: {
      async SETNAME(command, connection) {
        await sessions.name(connection, text(command, 1))
        return 'OK'
      },
      GETNAME: (_command, connection) => connection.who,
    },
    extensions: {
      ID: (_command, { id }) => id,
      INFO: (_command, connection) => `${lineOf(connection)}\n`,
      LIST(_command, connection) {
        // Who else is there, and in which group, is not everybody's to know.
        const all = [...sessions.byId.values()]
        const shown = connection.user.may('admin') ? all : all.filter((one) => one === connection)
        return shown.map((one) => `${lineOf(one)}\n`).join('')
      },
      KILL(command, connection) {
        permit(connection, 'admin')
        return kill(command, connection, sessions)
      },
      SETINFO(command, connection) {
        const [name, value] = [text(command, 1).toUpperCase(), text(command, 2)]
        if (command.args.length !== 3) throw wrongNumber('client|setinfo')
        if (/[\s\n\r]/.test(value))
          throw new ReplyError(
            `ERR ${name.toLowerCase()} cannot contain spaces, newlines or special characters.`,
          )
        if (name === 'LIB-NAME') connection.libraryName = value
        else if (name === 'LIB-VER') connection.libraryVersion = value
        else throw new ReplyError(`ERR Unrecognized option '${text(command, 1)}'`)
        return ok
      },
      'NO-EVICT': (command) => onOff(command, () => undefined),
      'NO-TOUCH': (command) => onOff(command, () => undefined),
      REPLY(command) {
        if (text(command, 1).toUpperCase() === 'ON') return ok
        throw new ReplyError('ERR CLIENT REPLY OFF and SKIP are not supported here')
      },
      TRACKING: () => {
        throw new ReplyError('ERR CLIENT TRACKING is not supported: there is no cache to keep')
      },
      DURABLE: (command, connection) => onOff(command, (isOn) => (connection.isDurable = isOn)),
      META: (command, connection) => onOff(command, (isOn) => (connection.wantsMeta = isOn)),
      NOTIFY: (command, connection) => onOff(command, (isOn) => (connection.wantsNotify = isOn)),
      ERRORS(command, connection) {
        const all = produce.failures(connection)
        const word = command.args.length > 1 ? text(command, 1) : String(all.length)
        if (!/^\d{1,9}$/.test(word))
          throw new ReplyError('ERR value is not an integer or out of range')
        return all
          .slice(Math.max(0, all.length - Number(word)))
          .map(({ topic, key, reason, atMs }): Reply => [topic, key, reason, atMs])
      },
    },
  }
}

function onOff(command: Command, set: (isOn: boolean) => void): Reply {
  const word = text(command, 1).toUpperCase()
  if (word !== 'ON' && word !== 'OFF') throw new ReplyError('ERR syntax error')
  set(word === 'ON')
  return ok
}

/** `CLIENT KILL addr`, or pairs of ID, ADDR, USER and SKIPME. */
function kill(command: Command, own: Connection, sessions: Sessions): Reply {
  const all = [...sessions.byId.values()]
  if (command.args.length === 2) {
    const found = all.find(({ address }) => address === text(command, 1))
    if (found === undefined) throw new ReplyError('ERR No such client')
    end(found, own)
    return ok
  }
  if (command.args.length < 3 || command.args.length % 2 === 0)
    throw new ReplyError('ERR syntax error')
  let skipsOwn = true
  const tests: ((one: Connection) => boolean)[] = []
  for (let at = 1; at < command.args.length; at += 2) {
    const value = text(command, at + 1)
    switch (text(command, at).toUpperCase()) {
      case 'ID':
        tests.push(({ id }) => String(id) === value)
        break
      case 'ADDR':
        tests.push(({ address }) => address === value)
        break
      case 'USER':
        tests.push(({ user }) => user.name === value)
        break
      case 'SKIPME':
        skipsOwn = value.toLowerCase() !== 'no'
        break
      default:
        throw new ReplyError('ERR syntax error')
    }
  }
  const found = all.filter((one) => tests.every((test) => test(one)) && !(skipsOwn && one === own))
  for (const one of found) end(one, own)
  return found.length
}

function end(connection: Connection, own: Connection): void {
  if (connection === own) connection.closeAfterReplies()
  else connection.disconnect('CLIENT KILL')
}

/** As Redis writes a client, with what there is of it. */
function lineOf(connection: Connection): string {
  const nowMs = Date.now()
  const fields: Record<string, string | number> = {
    id: connection.id,
    addr: connection.address,
    name: connection.name ?? '',
    age: Math.floor((nowMs - connection.openedAtMs) / 1000),
    idle: Math.floor((nowMs - connection.lastCommandAtMs) / 1000),
    flags: connection.isMonitor ? 'O' : connection.isBlocked ? 'b' : 'N',
    db: 0,
    omem: connection.unsent,
    cmd: connection.lastCommand.toLowerCase(),
    user: connection.user.name,
    resp: connection.protocol,
    'lib-name': connection.libraryName,
    'lib-ver': connection.libraryVersion,
    'tot-cmds': connection.commands,
    durable: connection.isDurable ? 1 : 0,
  }
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${String(value).replaceAll(/\s/g, '_')}`)
    .join(' ')
}

export function wrongNumber(name: string): ReplyError {
  return new ReplyError(`ERR wrong number of arguments for '${name}' command`)
}
