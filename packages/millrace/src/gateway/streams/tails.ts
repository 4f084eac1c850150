/**
 * Readers that wait at positions of partitions for XREAD, by connection.
 *
 * Who reads a stream calls again and again, each time from where the last call ended; a reader kept there has the next
 * entries already. A call from elsewhere opens another.
 */
import type { Clock, Timer } from '../../kit/index.ts'
import type { Client, ClientMessage, Reader } from '../../client/index.ts'
import type { Session } from '../session.ts'

export interface Tail {
  readonly reader: Reader
  /**
   * One past the last entry that it gave: what the next call names. Its reader may be further on, behind markers and
   * what was compacted away.
   */
  servedTo: number
  usedAtMs: number
}

const mostPerConnection = 16
const keepMs = 30_000
const fetch = { perPartitionBytes: 256 * 1024, bufferedBytes: 512 * 1024 }

export class Tails {
  readonly #client: Client
  readonly #clock: Clock
  readonly #bySession = new Map<Session, Map<string, Tail>>()
  #sweep: Timer | undefined

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** The tail that waits at an offset, or undefined. */
  find(session: Session, topic: string, partition: number, offset: number): Tail | undefined {
    const tail = this.#bySession.get(session)?.get(`${topic}@${partition}`)
    if (tail === undefined || tail.servedTo !== offset) return undefined
    tail.usedAtMs = this.#clock.monotonicMs()
    return tail
  }

  /** Opens one in place of the one before. */
  open(session: Session, topic: string, partition: number, from: number): Tail {
    let tails = this.#bySession.get(session)
    if (tails === undefined) this.#bySession.set(session, (tails = new Map<string, Tail>()))
    const key = `${topic}@${partition}`
    const before = tails.get(key)
    if (before) close(before)
    tails.delete(key)
    for (const [oldest, tail] of tails) {
      if (tails.size < mostPerConnection) break
      tails.delete(oldest)
      close(tail)
    }
    const reader = this.#client.reader({
      partitions: [{ topic, partition }],
      from,
      to: 'forever',
      fetch,
    })
    const tail: Tail = { reader, servedTo: from, usedAtMs: this.#clock.monotonicMs() }
    tails.set(key, tail)
    this.#sweepLater()
    return tail
  }

  /** Up to `max` messages, at once; earlier ones, which a reset to the start brings, are left out. */
  take(tail: Tail, max: number): readonly ClientMessage[] {
    tail.usedAtMs = this.#clock.monotonicMs()
    let messages = tail.reader.take(max)
    const first = messages[0]
    if (first === undefined) return messages
    if (first.offset < tail.servedTo)
      messages = messages.filter(({ offset }) => offset >= tail.servedTo)
    tail.servedTo = messages.at(-1)?.offset ?? tail.servedTo - 1
    tail.servedTo++
    return messages
  }

  closed(session: Session): void {
    for (const tail of this.#bySession.get(session)?.values() ?? []) close(tail)
    this.#bySession.delete(session)
  }

  close(): void {
    for (const session of Array.from(this.#bySession.keys())) this.closed(session)
    this.#sweep?.cancel()
    this.#sweep = undefined
  }

  #sweepLater(): void {
    this.#sweep ??= this.#clock.after(keepMs, () => this.#sweepNow(), { unref: true })
  }

  #sweepNow(): void {
    this.#sweep = undefined
    const oldest = this.#clock.monotonicMs() - keepMs
    for (const [session, tails] of this.#bySession) {
      for (const [key, tail] of tails) {
        if (tail.usedAtMs > oldest) continue
        tails.delete(key)
        close(tail)
      }
      if (tails.size === 0) this.#bySession.delete(session)
    }
    if (this.#bySession.size > 0) this.#sweepLater()
  }
}

/** How far its reader is. */
export function positionOf({ reader, servedTo }: Tail): number {
  return reader.partitions[0]?.position ?? servedTo
}

function close(tail: Tail): void {
  void tail.reader.close()
}
