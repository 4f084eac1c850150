/**
 * SUBSCRIBE: the tail of a topic from its end, at most once, without a group.
 *
 * One reader a topic serves all who listen. A subscription is confirmed when the position is fixed, so what is produced
 * after the confirmation is seen. A topic that is not there yet is waited for.
 */
import type { Client, Reader } from '../../client/index.ts'
import { sleep, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Command } from '../command.ts'
import { nothing, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import { bytesOf, wrongArity } from './arguments.ts'
import { permit } from './rights.ts'
import { parseStreamKey, type StreamKey } from './stream-key.ts'
import type { StreamsCore } from './streams-core.ts'
import type { Topics } from './topics.ts'

const againMs = 1000
const takenAtOnce = 500
const fetch = { perPartitionBytes: 256 * 1024, bufferedBytes: 1024 * 1024 }

/** A topic that somebody listens to. */
class Feed {
  readonly listeners = new Set<Session>()
  readonly #key: StreamKey
  readonly #client: Client
  readonly #topics: Topics
  readonly #clock: Clock
  readonly #ending = new AbortController()
  readonly #started = Promise.withResolvers<void>()

  constructor(key: StreamKey, client: Client, topics: Topics, clock: Clock) {
    this.#key = key
    this.#client = client
    this.#topics = topics
    this.#clock = clock
    void this.#run()
  }

  /** Resolves when the position is fixed, or the topic turned out not to be there yet. */
  started(): Promise<void> {
    return this.#started.promise
  }

  end(): void {
    this.#ending.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    // Of a topic that comes into being later nothing is missed.
    let from: 'latest' | 'earliest' = 'latest'
    while (!signal.aborted) {
      try {
        const partitions = await this.#topics.partitionsOf(this.#key)
        if (partitions.length > 0) await this.#read(partitions, from)
        else from = 'earliest'
      } catch (error) {
        if (!signal.aborted) events.gatewayTailBroke.publish({ topic: this.#key.text, error })
        from = 'latest'
      }
      this.#started.resolve()
      await sleep(this.#clock, againMs, signal).catch(() => undefined)
    }
  }

  async #read(numbers: readonly number[], from: 'latest' | 'earliest'): Promise<void> {
    const { signal } = this.#ending
    const { text, topic } = this.#key
    const partitions = numbers.map((partition) => ({ topic, partition }))
    await using reader: Reader = this.#client.reader({ partitions, from, to: 'forever', fetch })
    await reader.ready()
    this.#started.resolve()
    while (await reader.available(signal)) {
      for (const { value } of reader.take(takenAtOnce)) {
        const message: Reply[] = ['message', text, value ?? '']
        for (const session of this.listeners) session.push(message)
      }
    }
  }
}

export class Subscriptions {
  readonly #core: StreamsCore
  readonly #feeds = new Map<string, Feed>()
  readonly #bySession = new Map<Session, Set<string>>()

  constructor(core: StreamsCore) {
    this.#core = core
  }

  get size(): number {
    return this.#bySession.size
  }

  readonly subscribe = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length === 0) throw wrongArity('subscribe')
    const keys = args.map(parseStreamKey)
    for (const { topic } of keys) permit(session, 'consume', { topic })
    let mine = this.#bySession.get(session)
    if (mine === undefined) this.#bySession.set(session, (mine = new Set()))
    for (const key of keys) {
      const feed = this.#feeds.get(key.text) ?? this.#open(key)
      // Also while it starts somebody holds it.
      mine.add(key.text)
      feed.listeners.add(session)
      await feed.started()
      if (session.signal.aborted) break
      session.push(['subscribe', key.text, mine.size])
    }
    if (session.signal.aborted) this.closed(session)
    return nothing
  }

  readonly unsubscribe = (command: Command, session: Session): Reply => {
    const mine = this.#bySession.get(session)
    const named = bytesOf(command.args).map((name) => name.toString('utf8'))
    const topics = named.length > 0 ? named : Array.from(mine ?? [])
    if (topics.length === 0) session.push(['unsubscribe', null, 0])
    for (const topic of topics) {
      if (mine?.delete(topic) === true) this.#leave(topic, session)
      session.push(['unsubscribe', topic, mine?.size ?? 0])
    }
    if (mine?.size === 0) this.#bySession.delete(session)
    return nothing
  }

  closed(session: Session): void {
    for (const topic of this.#bySession.get(session) ?? []) this.#leave(topic, session)
    this.#bySession.delete(session)
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.end()
    this.#feeds.clear()
    this.#bySession.clear()
  }

  #open(key: StreamKey): Feed {
    const { client, topics, clock } = this.#core
    const feed = new Feed(key, client, topics, clock)
    this.#feeds.set(key.text, feed)
    return feed
  }

  #leave(topic: string, session: Session): void {
    const feed = this.#feeds.get(topic)
    feed?.listeners.delete(session)
    if (feed === undefined || feed.listeners.size > 0) return
    feed.end()
    this.#feeds.delete(topic)
  }
}
