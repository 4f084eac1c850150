/** EXISTS, TYPE, SCAN: topics are streams, and what a connection may not see is not there. */
import type { Command } from '../command.ts'
import { ReplyError, Simple, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import {
  argumentAt,
  bytesOf,
  integerOf,
  readInteger,
  syntaxError,
  wordOf,
  wrongArity,
} from './arguments.ts'
import { globMatcher } from './glob.ts'
import { refusalOf } from './refusal.ts'
import { maySee } from './rights.ts'
import { parseStreamKey, type StreamKey } from './stream-key.ts'
import type { StreamsCore } from './streams-core.ts'

const stream = new Simple('stream')
const none = new Simple('none')

export class Keyspace {
  readonly #core: StreamsCore

  constructor(core: StreamsCore) {
    this.#core = core
  }

  readonly exists = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length === 0) throw wrongArity('exists')
    // Read whole before anything is awaited: bytes of a command are views of what is read on meanwhile.
    const keys = args.map(keyOf)
    let found = 0
    for (const key of keys) if (await this.#isThere(key, session)) found++
    return found
  }

  readonly type = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length !== 1) throw wrongArity('type')
    return (await this.#isThere(keyOf(args[0]!), session)) ? stream : none
  }

  /** All in one page: the cluster gives names in one answer anyway. */
  readonly scan = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length === 0) throw wrongArity('scan')
    const cursor = readInteger(args[0]!)
    if (cursor === undefined || cursor < 0) throw new ReplyError('ERR invalid cursor')
    let isMatch: ((name: string) => boolean) | undefined
    let isOfStreams = true
    for (let index = 1; index < args.length; index += 2) {
      const value = argumentAt(args, index + 1)
      switch (wordOf(args[index]!)) {
        case 'MATCH':
          isMatch = globMatcher(value.toString('utf8'))
          break
        case 'COUNT':
          if (integerOf(value) < 1) throw syntaxError()
          break
        case 'TYPE':
          isOfStreams = value.toString('latin1').toLowerCase() === 'stream'
          break
        default:
          throw syntaxError()
      }
    }
    if (cursor > 0 || !isOfStreams) return ['0', []]
    try {
      const topics = await this.#core.client.admin.describeTopics(undefined, { timeoutMs: 5000 })
      const names = topics
        .filter(({ name, isInternal }) => !isInternal && maySee(session, name))
        .map(({ name }) => name)
      return ['0', isMatch ? names.filter(isMatch) : names]
    } catch (error) {
      throw refusalOf(error)
    }
  }

  async #isThere(key: StreamKey | undefined, session: Session): Promise<boolean> {
    if (key === undefined || !maySee(session, key.topic)) return false
    try {
      return (await this.#core.topics.partitionsOf(key)).length > 0
    } catch (error) {
      throw refusalOf(error)
    }
  }
}

/** Undefined for what no topic can be called: here Redis refuses no name. */
function keyOf(bytes: Buffer): StreamKey | undefined {
  try {
    return parseStreamKey(bytes)
  } catch {
    return undefined
  }
}
