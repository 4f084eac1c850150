import type {
  Assignor,
  Client,
  ClientMessage,
  GroupMember,
  OwnedPartition,
} from '../../client/index.ts'
import { isFailure } from '../../errors/index.ts'
import { sleep, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'

export interface OwnedTopicOptions {
  readonly client: Client
  readonly clock: Clock
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** Its name on the wire. */
  readonly topic: string
  readonly assignors?: readonly Assignor[]
  /** How long a partition that goes away waits for what runs. Default 30 s. */
  readonly drainMs?: number
  /** In error events. */
  readonly type: string
  /**
   * Works on a partition for as long as it is owned. What it throws is reported, and it is begun anew after a while.
   * @param ending - aborts when the partition is to go: begin nothing more, finish what runs, resolve
   * @param given - aborts when what still runs is out of time, or the partition is gone already
   */
  readonly own: (
    partition: OwnedPartition,
    ending: AbortSignal,
    given: AbortSignal,
  ) => Promise<void>
}

interface Tenure {
  readonly ending: AbortController
  readonly given: AbortController
  readonly done: Promise<void>
}

const retryMs = 1000
/** Before the drain is over, so that what is aborted can still say so. */
const marginMs = 5000

/**
 * A topic whose partitions are shared among the workers of an app, for what needs one place each: schedules, recurring
 * jobs. Nothing is committed: what is known lies in the topic itself and is read at each assignment.
 */
export class OwnedTopic {
  readonly #options: OwnedTopicOptions
  readonly #tenures = new Map<OwnedPartition, Tenure>()
  readonly #drainMs: number
  #graceMs: number
  #member: GroupMember | undefined
  #failure: unknown

  constructor(options: OwnedTopicOptions) {
    this.#options = options
    this.#drainMs = options.drainMs ?? 30_000
    this.#graceMs = Math.max(this.#drainMs - marginMs, this.#drainMs / 2)
  }

  /** Begins to join; does not wait for partitions, which come when the brokers are there. */
  start(): void {
    const { client, groupId, topic, assignors, type } = this.#options
    const { sessionTimeoutMs, heartbeatIntervalMs } = this.#options
    this.#member = client.joinGroup({
      groupId,
      sessionTimeoutMs,
      heartbeatIntervalMs,
      topics: [topic],
      drainMs: this.#drainMs,
      fetch: { bufferedBytes: 8 * 1024 * 1024 },
      ...(assignors === undefined ? {} : { assignors }),
      onAssigned: (partitions) => partitions.forEach((partition) => this.#begin(partition)),
      onRevoked: async (partitions) => {
        await Promise.all(partitions.map((partition) => this.#end(partition, this.#graceMs)))
      },
      onLost: (partitions) => partitions.forEach((partition) => void this.#end(partition, 0)),
      onError: (error, isFatal) => {
        if (isFatal) this.#failure = error
        events.error.publish({ type, error })
      },
    })
    // What ends the member is told to onError.
    this.#member.ready().catch(() => {})
  }

  /** Why it cannot go on; undefined while it can. */
  get failure(): unknown {
    return this.#failure
  }

  get isJoined(): boolean {
    return this.#member !== undefined && this.#member.generation >= 0
  }

  get owned(): number {
    return this.#tenures.size
  }

  /** Gives everything back; what does not end within the time is left behind. */
  async stop(timeoutMs: number): Promise<void> {
    const { clock } = this.#options
    this.#graceMs = Math.min(this.#graceMs, timeoutMs / 2)
    const limit = new AbortController()
    const ended = async (): Promise<void> => {
      await this.#member?.close({ timeoutMs })
      await Promise.all([...this.#tenures.keys()].map((partition) => this.#end(partition, 0)))
    }
    try {
      await Promise.race([ended(), sleep(clock, timeoutMs, limit.signal)])
    } finally {
      limit.abort(new Error('stopped'))
    }
  }

  #begin(partition: OwnedPartition): void {
    const ending = new AbortController()
    const given = new AbortController()
    const done = this.#keepOwning(partition, ending.signal, given.signal)
    this.#tenures.set(partition, { ending, given, done })
  }

  async #end(partition: OwnedPartition, graceMs: number): Promise<void> {
    const tenure = this.#tenures.get(partition)
    if (tenure === undefined) return
    const reason = new DOMException('the partition goes to another worker', 'AbortError')
    tenure.ending.abort(reason)
    const timer = this.#options.clock.after(graceMs, () => tenure.given.abort(reason))
    await tenure.done
    timer.cancel()
    this.#tenures.delete(partition)
  }

  async #keepOwning(
    partition: OwnedPartition,
    ending: AbortSignal,
    given: AbortSignal,
  ): Promise<void> {
    const { own, clock, type } = this.#options
    while (!ending.aborted) {
      try {
        await own(partition, ending, given)
      } catch (error) {
        // A client that is closed under it, as by a crash in a test, ends it too.
        if (ending.aborted || isFailure(error, 'MR_CLIENT_CLOSED')) return
        events.error.publish({ type, error })
        await sleep(clock, retryMs, ending).catch(() => {})
      }
    }
  }
}

/**
 * Hands every message of a partition over, from the log's start: first all that lie there, then `onCaughtUp`, then
 * what comes. Ends with the signal's abort.
 */
export async function followPartition(
  client: Client,
  partition: OwnedPartition,
  signal: AbortSignal,
  {
    onMessage,
    onCaughtUp,
  }: {
    readonly onMessage: (message: ClientMessage) => void
    readonly onCaughtUp: () => void
  },
): Promise<void> {
  // A reader knows where the log ends, be it empty or its tail compacted away.
  let next: number | undefined
  {
    const place = { topic: partition.topic, partition: partition.partition }
    await using reader = client.reader({ partitions: [place] })
    while (await reader.available(signal)) {
      for (const message of reader.take(1000)) {
        onMessage(message)
        next = message.offset + 1
      }
    }
  }
  await partition.seek(next ?? 'earliest')
  onCaughtUp()
  while (!signal.aborted) {
    const messages = partition.take(1000)
    for (const message of messages) onMessage(message)
    if (messages.length > 0) continue
    try {
      await partition.available(signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    // While it is given back nothing comes, though `available` does not wait any more.
    await new Promise((resolve) => setImmediate(resolve))
  }
}
