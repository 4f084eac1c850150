import type { Client, Reader } from '../../client/index.ts'
import { isFailure } from '../../errors/index.ts'
import { backoffMs, sleep, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ParkedEntry, ParkedFeed, ParkedLog } from './parked-log.ts'

const again = { firstMs: 1000, maxMs: 30_000 }
const lookMs = 1000
const takenAtOnce = 500

/** The parked topics of a cluster, read without a group. What nobody takes stays within the limits of a fetch. */
export function readerLog(client: Client, clock: Clock): ParkedLog {
  return { follow: (topic, partition) => new ReaderFeed(client, clock, topic, partition) }
}

class ReaderFeed implements ParkedFeed {
  readonly #client: Client
  readonly #clock: Clock
  readonly #topic: string
  readonly #partition: number
  readonly #closing = new AbortController()
  #reader: Reader | undefined
  /** Where the partition ended when that was last asked; undefined while there is no answer. */
  #end: number | undefined
  /** Of the questions; an answer to an older one says too little. */
  #asked = 0
  #position = -1

  constructor(client: Client, clock: Clock, topic: string, partition: number) {
    this.#client = client
    this.#clock = clock
    this.#topic = topic
    this.#partition = partition
    void this.#open()
  }

  get isLoaded(): boolean {
    return this.#end !== undefined && this.#position >= this.#end
  }

  get position(): number {
    return this.#position
  }

  refresh(): void {
    this.#asked++
    this.#end = undefined
    if (this.#reader !== undefined) void this.#findEnd(this.#asked)
  }

  take(): readonly ParkedEntry[] {
    const reader = this.#reader
    if (reader === undefined) return []
    const taken: ParkedEntry[] = []
    for (let some = reader.take(takenAtOnce); some.length > 0; some = reader.take(takenAtOnce))
      for (const { offset, key, value } of some) taken.push({ offset, key, value })
    this.#position = Math.max(this.#position, reader.partitions[0]?.position ?? -1)
    return taken
  }

  close(): void {
    this.#closing.abort(new Error('closed'))
    void this.#reader?.close()
  }

  /** Until it is open: without it nothing of the partition may be handled, so giving up would block it for good. */
  async #open(): Promise<void> {
    const { signal } = this.#closing
    for (let failures = 0; !signal.aborted;) {
      let reader: Reader | undefined
      try {
        reader = this.#client.reader({
          partitions: [{ topic: this.#topic, partition: this.#partition }],
          from: Math.max(0, this.#position),
          to: 'forever',
          onError: (error) => events.error.publish({ type: 'retry-topic', error }),
        })
        await reader.ready()
        this.#reader = reader
        failures = 0
        void this.#findEnd(this.#asked)
        // Resolves or rejects over and over: only a reader that has failed is of interest.
        await untilFailed(reader, signal, this.#clock)
      } catch (error) {
        if (signal.aborted || isFailure(error, 'MR_CLIENT_CLOSED')) break
        events.error.publish({ type: 'retry-topic', error })
        await reader?.close()
        await sleep(this.#clock, backoffMs(again, ++failures), signal).catch(() => undefined)
      }
    }
  }

  async #findEnd(question: number): Promise<void> {
    const { signal } = this.#closing
    const place = { topic: this.#topic, partition: this.#partition, at: 'latest' as const }
    for (let failures = 0; question === this.#asked && !signal.aborted;) {
      try {
        const [end] = await this.#client.admin.listOffsets([place], { signal })
        if (end?.error !== undefined) throw end.error
        if (question === this.#asked) this.#end = end?.offset ?? 0
        return
      } catch (error) {
        if (signal.aborted || isFailure(error, 'MR_CLIENT_CLOSED')) return
        events.error.publish({ type: 'retry-topic', error })
        await sleep(this.#clock, backoffMs(again, ++failures), signal).catch(() => undefined)
      }
    }
  }
}

/** @throws what makes the reader fail, or the signal's reason */
async function untilFailed(reader: Reader, signal: AbortSignal, clock: Clock): Promise<never> {
  for (;;) {
    await reader.available(signal)
    await sleep(clock, lookMs, signal)
  }
}
