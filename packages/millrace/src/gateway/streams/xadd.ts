/**
 * XADD: a durable produce that answers the entry's id.
 *
 * - Pipelined ones are all in flight; replies keep their order (`Later`).
 * - MAXLEN and MINID with `~` are ignored, with one warning: retention rules. Exact trimming and ids of one's own are
 *   refused: neither can be had from a log.
 */
import { isUtf8 } from 'node:buffer'
import type { OutgoingMessage, SendResult } from '../../client/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Command } from '../command.ts'
import { Later, ReplyError, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import { argumentAt, bytesOf, integerOf, isWord, syntaxError, wrongArity } from './arguments.ts'
import { formatEntryId, parseEntryId } from './entry-id.ts'
import { readFields } from './fields.ts'
import { withoutDialect } from './refusal.ts'
import { permit } from './rights.ts'
import { parseStreamKey, type StreamKey } from './stream-key.ts'
import type { StreamsCore } from './streams-core.ts'
import { Tokens } from './tokens.ts'

interface AddOptions {
  readonly mayMake: boolean
  readonly trims: boolean
  /** Where the fields begin. */
  readonly from: number
}

const plainOptions: AddOptions = { mayMake: true, trims: false, from: 2 }
const star = 0x2a

export class Adder {
  readonly #core: StreamsCore
  readonly #tokens: Tokens<string>
  #hasWarned = false

  constructor(core: StreamsCore) {
    this.#core = core
    this.#tokens = new Tokens(core.clock)
  }

  readonly xadd = (command: Command, session: Session): Later => {
    const args = bytesOf(command.args)
    if (args.length < 4) throw wrongArity('xadd')
    const isPlain = args[1]!.length === 1 && args[1]![0] === star
    const options = isPlain ? plainOptions : readOptions(args)
    if (args.length <= options.from || (args.length - options.from) % 2 !== 0)
      throw wrongArity('xadd')
    const key = parseStreamKey(args[0]!)
    permit(session, 'produce', { topic: key.topic })
    const fields = readFields(args, options.from)
    const { headers, token } = fields
    const partition = partitionOf(key, fields.partition)
    if (options.trims) this.#warn(key.topic)
    const { topic } = key
    const { value, timestamp } = fields
    const plain: OutgoingMessage = { topic, key: fields.key, value, headers }
    const message =
      partition === undefined && timestamp === undefined
        ? plain
        : {
            ...plain,
            ...(partition === undefined ? {} : { partition }),
            ...(timestamp === undefined ? {} : { timestamp }),
          }
    if (!options.mayMake) return new Later(this.#addIfThere(session, key, message, token))
    return new Later(this.#add(session, message, token))
  }

  #add(session: Session, message: OutgoingMessage, token: string | undefined): Promise<string> {
    if (token === undefined) return this.#send(session, message)
    // The space cannot be part of a topic, so no two pairs look alike.
    return this.#tokens.once(`${message.topic} ${token}`, () => this.#send(session, message))
  }

  #send(session: Session, message: OutgoingMessage): Promise<string> {
    return this.#core.produce.send(session, message).then(idOf, refuse)
  }

  async #addIfThere(
    session: Session,
    { topic }: StreamKey,
    message: OutgoingMessage,
    token: string | undefined,
  ): Promise<Reply> {
    const kept = copyOf(message)
    try {
      if ((await this.#core.topics.count(topic)) === 0) return null
    } catch (error) {
      throw withoutDialect(error)
    }
    return this.#add(session, kept, token)
  }

  #warn(topic: string): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    events.gatewayTrimIgnored.publish({ topic })
  }
}

function idOf({ partition, offset }: SendResult): string {
  return formatEntryId(partition, offset)
}

function refuse(error: unknown): never {
  throw withoutDialect(error)
}

/** Bytes of a command are views of read buffers, gone when the next command is read. */
function copyOf(message: OutgoingMessage): OutgoingMessage {
  const copy = <T>(bytes: T): T => (Buffer.isBuffer(bytes) ? (Buffer.from(bytes) as T) : bytes)
  const headers = message.headers?.map(([name, value]) => [name, copy(value)] as const)
  return {
    ...message,
    key: copy(message.key ?? null),
    value: copy(message.value),
    ...(headers ? { headers } : {}),
  }
}

function partitionOf(key: StreamKey, wanted: number | undefined): number | undefined {
  if (key.partition === undefined || wanted === undefined) return wanted ?? key.partition
  if (key.partition !== wanted)
    throw new ReplyError(`ERR @partition ${wanted} is not that of the key '${key.text}'`)
  return wanted
}

/** [NOMKSTREAM] [MAXLEN|MINID [=|~] threshold [LIMIT n]] *|id */
function readOptions(args: readonly Buffer[]): AddOptions {
  let mayMake = true
  let trims = false
  let index = 1
  for (; index < args.length; index++) {
    const word = args[index]!
    if (isWord(word, 'NOMKSTREAM')) {
      mayMake = false
    } else if (isWord(word, 'MAXLEN') || isWord(word, 'MINID')) {
      index = readTrim(args, index)
      trims = true
    } else if (isWord(word, 'LIMIT')) {
      if (!trims) throw syntaxError()
      integerOf(argumentAt(args, ++index))
    } else {
      break
    }
  }
  const id = argumentAt(args, index)
  if (!(id.length === 1 && id[0] === star)) {
    if (id.length < 24 && isUtf8(id) && id.toString().endsWith('-*')) throw ownId()
    parseEntryId(id)
    throw ownId()
  }
  return { mayMake, trims, from: index + 1 }
}

function ownId(): ReplyError {
  return new ReplyError('ERR an entry cannot be given an id here, the log numbers it: use *')
}

function readTrim(args: readonly Buffer[], at: number): number {
  const sign = argumentAt(args, at + 1)
  if (!(sign.length === 1 && sign[0] === 0x7e))
    throw new ReplyError(
      `ERR entries leave a topic by its retention, not by exact trimming: use ~, or see 'millrace topics'`,
    )
  const threshold = argumentAt(args, at + 2)
  if (isWord(args[at], 'MAXLEN')) integerOf(threshold)
  else parseEntryId(threshold)
  return at + 2
}
