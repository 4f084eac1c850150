import type { ClientMessage } from '../../client/index.ts'
import { failure, isFailure } from '../../errors/index.ts'
import { sleep, type Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Command, Figures, GatewayPart } from '../command.ts'
import type { GatewayCore } from '../gateway-core.ts'
import type { ProducePart } from '../produce/index.ts'
import { texts } from '../produce/index.ts'
import { consumerOptions, consumerSectionFaults } from '../properties/index.ts'
import { nullArray, ReplyError, type Reply } from '../reply.ts'
import { noPermission, permit } from '../server/users.ts'
import type { Session } from '../session.ts'
import { parseAck } from './ack.ts'
import { Consumer, pollText } from './consumer.ts'
import { patternsOf } from './topic-patterns.ts'
import { parseTimeout, parseTopicList, type TopicList } from './topic-list.ts'

const shutdownText = 'CONS Server shutdown'
const sweepMs = 1000
/** How long a stop waits for the acknowledgement of a message that was handed out. */
const graceMs = 1000
/** How much longer a first call may take than its timeout. */
const placedWithinMs = 5000
const placedLookMs = 5

/**
 * Consuming, one consumer a connection.
 *
 *     BLPOP -> checks -> the connection's consumer -> a message that is here, or a wait
 *     RPUSH acks -> stored position -> commit by time, at a rebalance, at the end
 *
 * @throws MR_CONFIG_INVALID when the consumer section is one that every consumer would be refused for
 */
export function openConsumePart(core: GatewayCore, produce: ProducePart): GatewayPart {
  const faults = consumerSectionFaults(core.settings.consumer)
  if (faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults })
  return new Consuming(core, produce)
}

class Consuming implements GatewayPart {
  readonly commands: GatewayPart['commands']
  readonly extensions: NonNullable<GatewayPart['extensions']>
  readonly #core: GatewayCore
  readonly #produce: ProducePart
  readonly #consumers = new Map<Session, Consumer>()
  readonly #closing = new Map<Consumer, Promise<void>>()
  /** Ends all waits: the gateway stops. */
  readonly #draining = new AbortController()
  /** Properties that were told of once. */
  readonly #told = new Set<string>()
  #sweep: Timer | undefined
  #blocked = 0
  #messages = 0
  #acks = 0
  #refused = 0
  #missing = 0

  constructor(core: GatewayCore, produce: ProducePart) {
    this.#core = core
    this.#produce = produce
    this.commands = {
      BLPOP: (command, session) => this.#blpop(command, session),
      RPUSH: (command, session) => this.#rpush(command, session),
    }
    this.extensions = {
      BLMPOP: (command, session) => this.#blmpop(command, session),
      LMPOP: (command, session) => this.#lmpop(command, session),
    }
    this.#planSweep()
  }

  async closed(session: Session): Promise<void> {
    const consumer = this.#consumers.get(session)
    if (consumer === undefined) return
    this.#consumers.delete(session)
    await this.#end(consumer)
  }

  async drain(): Promise<void> {
    this.#draining.abort(new Error('the gateway stops'))
    this.#sweep?.cancel()
    const all = Array.from(this.#consumers.values(), async (consumer) => {
      // Whoever has just been given a message may still say that it is done.
      await consumer.acknowledged(graceMs)
      await this.#end(consumer)
    })
    await Promise.all([...all, ...this.#closing.values()])
  }

  figures(): Figures {
    const all = [...this.#consumers.values()]
    const lags = all.flatMap((consumer) =>
      consumer.held.flatMap(({ topic, partition, lag }) =>
        lag < 0
          ? []
          : [
              {
                labels: { group: consumer.groupId, topic, partition: String(partition) },
                value: lag,
              },
            ],
      ),
    )
    return {
      consumers: all.length,
      consumed_messages: this.#messages,
      acks: this.#acks,
      refused_consumers: this.#refused,
      missing_topics: this.#missing,
      blocked_pops: this.#blocked,
      lag: lags,
    }
  }

  #end(consumer: Consumer): Promise<void> {
    const ended = consumer.close().then(() => void this.#closing.delete(consumer))
    this.#closing.set(consumer, ended)
    return ended
  }

  #blpop(command: Command, session: Session): Reply | Promise<Reply> {
    const { args } = command
    const list = parseTopicList(textOfArgument(args[0]))
    const consumer = this.#consumerOf(session, list)
    const timeoutMs = parseTimeout(args.length > 1 ? textOfArgument(args.at(-1)) : undefined)
    const message = this.#take(consumer)
    if (message !== undefined) return this.#shown(message, session, consumer)
    return this.#wait(consumer, session, timeoutMs, () => {
      const found = this.#take(consumer)
      return found === undefined ? undefined : this.#shown(found, session, consumer)
    })
  }

  /** `BLMPOP timeout numkeys key... LEFT COUNT n` */
  #blmpop(command: Command, session: Session): Reply | Promise<Reply> {
    const [timeout, ...rest] = command.args
    const timeoutMs = parseTimeout(textOfArgument(timeout))
    return this.#pop(rest, session, timeoutMs, 'blmpop')
  }

  #lmpop(command: Command, session: Session): Reply | Promise<Reply> {
    return this.#pop(command.args, session, undefined, 'lmpop')
  }

  /** @param timeoutMs - undefined: no wait */
  #pop(
    args: readonly (Buffer | null)[],
    session: Session,
    timeoutMs: number | undefined,
    name: string,
  ): Reply | Promise<Reply> {
    const words = args.map(textOfArgument)
    const [count = '', key = '', side = '', option, most = '1'] = words
    if (words.length < 3)
      throw new ReplyError(`ERR wrong number of arguments for '${name}' command`)
    if (count !== '1')
      throw new ReplyError('ERR numkeys must be 1: several topics are one key, topics:a,b')
    const isWhole = words.length === 3 || (words.length === 5 && option?.toUpperCase() === 'COUNT')
    if (!/^(left|right)$/i.test(side) || !isWhole) throw new ReplyError('ERR syntax error')
    const limit = Number(most)
    if (!Number.isInteger(limit) || limit <= 0)
      throw new ReplyError('ERR count should be greater than 0')
    const list = parseTopicList(key)
    const consumer = this.#consumerOf(session, list)
    const take = (): Reply | undefined => {
      const messages: Reply[] = []
      let bytes = 0
      while (messages.length < limit && bytes < 1024 * 1024) {
        const message = this.#take(consumer)
        if (message === undefined) break
        bytes += message.value?.length ?? 0
        messages.push(this.#shown(message, session, consumer))
      }
      return messages.length === 0 ? undefined : [key, messages]
    }
    const found = take()
    if (found !== undefined) return found
    return timeoutMs === undefined ? nullArray : this.#wait(consumer, session, timeoutMs, take)
  }

  #take(consumer: Consumer): ClientMessage | undefined {
    try {
      const message = consumer.take()
      if (message !== undefined) this.#messages++
      return message
    } catch (error) {
      throw new ReplyError(pollText(error))
    }
  }

  async #wait(
    consumer: Consumer,
    session: Session,
    timeoutMs: number,
    take: () => Reply | undefined,
  ): Promise<Reply> {
    const over = new AbortController()
    const { clock } = this.#core
    const endMs = clock.monotonicMs() + timeoutMs
    // Timers may fire a little early, and none waits longer than 24 days.
    const look = (): void => {
      const leftMs = endMs - clock.monotonicMs()
      if (leftMs > 0) timer = clock.after(leftMs, look)
      else over.abort()
    }
    let timer = timeoutMs === 0 ? undefined : clock.after(timeoutMs, look)
    const signal = AbortSignal.any([over.signal, session.signal, this.#draining.signal])
    this.#blocked++
    try {
      while (!signal.aborted) {
        await consumer.woken(signal)
        if (this.#draining.signal.aborted || session.signal.aborted) break
        const found = take()
        if (found !== undefined) return found
      }
    } finally {
      this.#blocked--
      consumer.waitedUntilMs = clock.now()
      timer?.cancel()
    }
    if (!consumer.isPlaced) await this.#placed(consumer, session)
    consumer.lookForMissing()
    if (this.#draining.signal.aborted) throw new ReplyError(shutdownText)
    return nullArray
  }

  /**
   * A first call may be over before its consumer knows where the log ends. Whoever is told "nothing yet" and then
   * produces expects to read it: so the call waits a little longer, this once.
   */
  async #placed(consumer: Consumer, session: Session): Promise<void> {
    const { clock } = this.#core
    const ends = AbortSignal.any([session.signal, this.#draining.signal])
    const deadlineMs = clock.monotonicMs() + placedWithinMs
    while (!consumer.isPlaced && clock.monotonicMs() < deadlineMs && !ends.aborted)
      await sleep(clock, placedLookMs)
    consumer.isPlaced = true
  }

  /** The consumer of this connection, made by its first call. @throws ReplyError */
  #consumerOf(session: Session, list: TopicList): Consumer {
    if (this.#core.isDraining) throw new ReplyError(shutdownText)
    const { name } = session
    if (name === undefined)
      throw new ReplyError(
        'CONS Connection not ready. Identify yourself using `CLIENT SETNAME` first',
      )
    const [group = '', member = ''] = name.split(':')
    const id = `${group}:${member}|${list.topics.join(',')}`
    const known = this.#consumers.get(session)
    if (known !== undefined) {
      if (known.id === id) {
        // Another user has logged in since.
        if (known.user !== session.user) throw noPermission()
        return known
      }
      throw new ReplyError(
        `CONS Client '${name}' has Consumer '${known.id}' registered (new consID: '${id}')`,
      )
    }
    // What an expression may take in is asked for each topic.
    for (const topic of list.topics)
      permit(session, 'consume', topic.startsWith('^') ? { group } : { topic, group })
    try {
      return this.#register(session, { id, group, member, list })
    } catch (error) {
      throw this.#refuse(session, id, list, error)
    }
  }

  #register(
    session: Session,
    {
      id,
      group,
      member,
      list,
    }: {
      readonly id: string
      readonly group: string
      readonly member: string
      readonly list: TopicList
    },
  ): Consumer {
    if (group === '') throw new ReplyError('"group.id" is empty')
    if (list.isRefused) throw new ReplyError('the configuration is no object of plain values')
    patternsOf(list.topics)
    const options = consumerOptions({ ...this.#core.settings.consumer, ...list.properties })
    for (const name of options.ignored) {
      if (this.#told.has(name)) continue
      this.#told.add(name)
      events.gatewayPropertyIgnored.publish({ property: name })
    }
    const consumer = new Consumer({
      id,
      groupId: group,
      user: session.user,
      topics: list.topics,
      options,
      clock: this.#core.clock,
      openClient: () => this.#core.openClient(member === '' ? group : member),
      onMissing: () => this.#missing++,
      onRebalance: (what, partitions) => {
        if (!session.wantsNotify) return
        const places = partitions.map(({ topic, partition }) => `${topic}/${partition}`)
        session.push(['millrace', 'rebalance', what, places])
      },
    })
    this.#consumers.set(session, consumer)
    return consumer
  }

  #refuse(session: Session, id: string, list: TopicList, error: unknown): ReplyError {
    const isExpected =
      error instanceof ReplyError ||
      error instanceof SyntaxError ||
      isFailure(error, 'MR_GROUP_OPTIONS_INVALID')
    if (!isExpected) throw error
    this.#refused++
    const reason = error.message
    const text = `CONS Failed to register Consumer '${id}' for Client '${session.who}'`
    events.gatewayConsumerRefused.publish({ consumer: id, client: session.who, reason })
    const topic = list.topics.join(',')
    this.#produce.recordFailure(session, {
      topic,
      key: null,
      reason: `${text}: ${reason}`,
      atMs: this.#core.clock.now(),
    })
    return new ReplyError(this.#core.settings.explainsErrors ? `${text}: ${reason}` : text)
  }

  #rpush({ args }: Command, session: Session): Reply {
    if (textOfArgument(args[0]).toLowerCase() !== 'acks')
      throw new ReplyError("CONS You can only RPUSH to the 'acks' key")
    const ack = parseAck(textOfArgument(args[1]))
    const consumer = this.#consumers.get(session)
    if (consumer === undefined)
      throw new ReplyError(`CONS No consumer registered for Client ${session.who}`)
    if (ack.next < 0) throw new ReplyError(`CONS offset cannot be negative, got ${ack.next}`)
    switch (consumer.ack(ack)) {
      case 'stored':
        this.#acks++
        return 1
      case 'gone':
        // Committed and left: what a client of a gateway that stops may try again elsewhere.
        if (this.#draining.signal.aborted) throw new ReplyError(shutdownText)
        throw new ReplyError(`CONS ${texts.erroneousState}`)
      case 'unknown':
        throw new ReplyError(`CONS ${texts.unknownPartition}`)
    }
  }

  /** As the original's clients take a message apart. */
  #shown(message: ClientMessage, session: Session, consumer: Consumer): Reply {
    const { topic, partition, offset, value } = message
    const plain = ['topic', topic, 'partition', partition, 'offset', offset, 'value', value]
    if (!session.wantsMeta) return plain
    const { key, timestamp, headers } = message
    const owned = consumer.held.find((one) => one.topic === topic && one.partition === partition)
    const lag = Math.max(0, owned?.lag ?? 0)
    const shown = headers.flatMap(([name, content]): Reply[] => [name, content])
    return [...plain, 'key', key, 'timestamp', timestamp, 'headers', shown, 'lag', lag]
  }

  /** Consumers whose client was silent for too long leave their group. */
  #planSweep(): void {
    const { clock } = this.#core
    this.#sweep = clock.after(
      sweepMs,
      () => {
        const nowMs = clock.now()
        for (const [session, consumer] of this.#consumers) {
          // A call that waits is a sign of life itself.
          if (consumer.isWaitedFor || !consumer.isJoined) continue
          const aliveAtMs = Math.max(session.lastCommandAtMs, consumer.waitedUntilMs)
          if (nowMs - aliveAtMs > consumer.maxPollMs) consumer.leave()
        }
        this.#planSweep()
      },
      { unref: true },
    )
  }
}

function textOfArgument(bytes: Buffer | null | undefined): string {
  return bytes?.toString() ?? ''
}
