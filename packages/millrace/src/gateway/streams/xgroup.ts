/**
 * XGROUP: a group is what it has committed.
 *
 * Kafka sets offsets only for groups without members. Consumers here that no open connection uses are made to leave
 * first; others are named in the refusal. A topic that the group begins to read is set in the name of a member.
 */
import { kafkaCodeOf } from '../../client/index.ts'
import type { MillraceError } from '../../errors/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import type { Command } from '../command.ts'
import { ok, ReplyError, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import {
  argumentAt,
  bytesOf,
  integerOf,
  isWord,
  syntaxError,
  unknownSubcommand,
  wrongArity,
} from './arguments.ts'
import { commitAsMember } from './commit-as-member.ts'
import { parsePlace, type Place } from './entry-id.ts'
import { committedPositions, noSuchGroup } from './group-offsets.ts'
import type { StreamGroups } from './groups.ts'
import { refusalOf } from './refusal.ts'
import { permit } from './rights.ts'
import { parseStreamKey, type StreamKey } from './stream-key.ts'
import type { StreamConsumer } from './stream-consumer.ts'
import type { StreamsCore } from './streams-core.ts'

const callMs = 10_000

const help = [
  'XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'CREATE <key> <groupname> <id|$|@ms> [MKSTREAM]',
  'CREATECONSUMER <key> <groupname> <consumer>',
  'DELCONSUMER <key> <groupname> <consumer>',
  'DESTROY <key> <groupname>',
  'SETID <key> <groupname> <id|$|@ms>',
]

export class GroupCommands {
  readonly #core: StreamsCore
  readonly #groups: StreamGroups

  constructor(core: StreamsCore, groups: StreamGroups) {
    this.#core = core
    this.#groups = groups
  }

  readonly xgroup = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length === 0) throw wrongArity('xgroup')
    const name = args[0]!.toString('latin1')
    const rest = args.slice(1)
    try {
      switch (name.toUpperCase()) {
        case 'CREATE':
          return await this.#create(rest, session)
        case 'SETID':
          return await this.#setId(rest, session)
        case 'DESTROY':
          return await this.#destroy(rest, session)
        case 'CREATECONSUMER':
          return await this.#createConsumer(rest, session)
        case 'DELCONSUMER':
          return await this.#deleteConsumer(rest, session)
        case 'HELP':
          return help
        default:
          throw unknownSubcommand('XGROUP', name)
      }
    } catch (error) {
      throw refusalOf(error)
    }
  }

  async #create(args: readonly Buffer[], session: Session): Promise<Reply> {
    if (args.length < 3) throw wrongArity('xgroup|create')
    const { key, groupId } = named(args, session)
    const place = parsePlace(args[2]!)
    let makes = false
    for (let index = 3; index < args.length; index++) {
      if (isWord(args[index], 'MKSTREAM')) makes = true
      else if (isWord(args[index], 'ENTRIESREAD')) integerOf(argumentAt(args, ++index))
      else throw syntaxError()
    }
    let partitions = await this.#core.topics.partitionsOf(key)
    if (partitions.length === 0 && makes && key.partition === undefined)
      partitions = await this.#makeTopic(key, session)
    if (partitions.length === 0) throw keyMissing()
    if ((await committedPositions(this.#core, groupId, key)).size > 0)
      throw new ReplyError('BUSYGROUP Consumer Group name already exists')
    await this.#set(groupId, key, partitions, place, true)
    return ok
  }

  async #setId(args: readonly Buffer[], session: Session): Promise<Reply> {
    if (args.length !== 3 && args.length !== 5) throw wrongArity('xgroup|setid')
    const { key, groupId } = named(args, session)
    const place = parsePlace(args[2]!)
    if (args.length === 5) {
      if (!isWord(args[3], 'ENTRIESREAD')) throw syntaxError()
      integerOf(args[4]!)
    }
    const partitions = await this.#existing(key, groupId)
    await this.#set(groupId, key, partitions, place, false)
    return ok
  }

  async #destroy(args: readonly Buffer[], session: Session): Promise<Reply> {
    if (args.length !== 2) throw wrongArity('xgroup|destroy')
    const { key, groupId } = named(args, session)
    if ((await this.#core.topics.partitionsOf(key)).length === 0) throw keyMissing()
    const committed = await committedPositions(this.#core, groupId, key)
    if (committed.size === 0) return 0
    await this.#groups.dismissUnused(groupId)
    this.#refuseMembers(groupId)
    const deleted = await this.#core.client.admin.deleteOffsets(
      groupId,
      Array.from(committed.keys(), (partition) => ({ topic: key.topic, partition })),
      { timeoutMs: callMs },
    )
    for (const { error } of deleted) if (error) throw membersOr(error, groupId)
    return 1
  }

  async #createConsumer(args: readonly Buffer[], session: Session): Promise<Reply> {
    if (args.length !== 3) throw wrongArity('xgroup|createconsumer')
    const { key, groupId } = named(args, session)
    const name = args[2]!.toString('utf8')
    await this.#existing(key, groupId)
    const isNew = this.#groups.consumer(groupId, name) === undefined
    this.#groups.consumerFor(groupId, name, session)
    return isNew ? 1 : 0
  }

  async #deleteConsumer(args: readonly Buffer[], session: Session): Promise<Reply> {
    if (args.length !== 3) throw wrongArity('xgroup|delconsumer')
    const { key, groupId } = named(args, session)
    const name = args[2]!.toString('utf8')
    await this.#existing(key, groupId)
    return this.#groups.remove(groupId, name)
  }

  /** @throws ReplyError when the topic or the group is not there */
  async #existing(key: StreamKey, groupId: string): Promise<readonly number[]> {
    const partitions = await this.#core.topics.partitionsOf(key)
    if (partitions.length === 0) throw keyMissing()
    const hasReaders = this.#groups.find(groupId)?.hasReaders(key.topic) === true
    if (!hasReaders && (await committedPositions(this.#core, groupId, key)).size === 0)
      throw noSuchGroup(key.text, groupId)
    return partitions
  }

  async #makeTopic({ topic }: StreamKey, session: Session): Promise<readonly number[]> {
    const mayMake = this.#core.settings.createsTopics || session.user.may('admin', { topic })
    if (!mayMake) throw new ReplyError('NOPERM No permissions to access a key')
    const { admin } = this.#core.client
    const [made] = await admin.createTopics([{ name: topic }], { timeoutMs: callMs })
    const error = made?.error
    if (error && kafkaCodeOf(error) !== errorCodes.TOPIC_ALREADY_EXISTS) throw error
    return this.#core.topics.partitionsOf({ text: topic, topic, partition: undefined })
  }

  async #set(
    groupId: string,
    key: StreamKey,
    partitions: readonly number[],
    place: Place,
    isNew: boolean,
  ): Promise<void> {
    const positions = await this.#core.topics.resolve(key, partitions, place)
    await this.#groups.dismissUnused(groupId)
    const outcomes = await this.#core.client.admin.setOffsets(
      groupId,
      positions.map(({ partition, offset }) => ({ topic: key.topic, partition, offset })),
      { timeoutMs: callMs },
    )
    const error = outcomes.find((one) => one.error !== undefined)?.error
    if (error === undefined) return
    const member = isNew && isOfMembers(error) ? this.#memberOf(groupId) : undefined
    if (member === undefined) throw membersOr(error, groupId)
    await commitAsMember(this.#core, groupId, member, key.topic, positions)
  }

  /** A consumer here that is in the group. */
  #memberOf(groupId: string): StreamConsumer | undefined {
    const consumers = Array.from(this.#groups.find(groupId)?.consumers.values() ?? [])
    return consumers.find(({ membership }) => membership !== undefined)
  }

  #refuseMembers(groupId: string): void {
    for (const { isJoined } of this.#groups.find(groupId)?.consumers.values() ?? [])
      if (isJoined) throw hasMembers(groupId)
  }
}

function named(
  args: readonly Buffer[],
  session: Session,
): { readonly key: StreamKey; readonly groupId: string } {
  const key = parseStreamKey(args[0]!)
  const groupId = args[1]!.toString('utf8')
  if (groupId === '') throw new ReplyError('ERR a group has a name')
  permit(session, 'consume', { topic: key.topic, group: groupId })
  return { key, groupId }
}

function keyMissing(): ReplyError {
  return new ReplyError(
    'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
  )
}

function hasMembers(groupId: string): ReplyError {
  return new ReplyError(
    `ERR group '${groupId}' has members: stop them, or remove those that are here with XGROUP DELCONSUMER`,
  )
}

const memberCodes: ReadonlySet<number | undefined> = new Set([
  errorCodes.UNKNOWN_MEMBER_ID,
  errorCodes.GROUP_SUBSCRIBED_TO_TOPIC,
])

function membersOr(error: MillraceError, groupId: string): Error {
  return isOfMembers(error) ? hasMembers(groupId) : error
}

function isOfMembers(error: MillraceError): boolean {
  return memberCodes.has(kafkaCodeOf(error))
}
