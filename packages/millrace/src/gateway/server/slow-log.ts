import type { Command } from '../command.ts'
import type { Reply } from '../reply.ts'
import type { Connection } from './connection.ts'

const mostKept = 128
const mostArguments = 32
const mostArgumentBytes = 128

interface SlowCommand {
  readonly id: number
  readonly atMs: number
  readonly micros: number
  readonly words: readonly (string | Buffer)[]
  readonly address: string
  readonly name: string
}

/** Commands that kept the process busy for 10 ms or more; waiting does not count. As Redis's SLOWLOG. */
export class SlowLog {
  static readonly slowMs = 10
  #next = 0
  readonly #kept: SlowCommand[] = []

  get length(): number {
    return this.#kept.length
  }

  note({ name, args }: Command, from: Connection, atMs: number, durationMs: number): void {
    // Credentials and values have no place in it, so arguments are cut short, and AUTH has none.
    const words = args.slice(0, mostArguments - 1).map((one) => {
      const bytes = one ?? Buffer.alloc(0)
      return Buffer.from(bytes.subarray(0, mostArgumentBytes))
    })
    this.#kept.push({
      id: this.#next++,
      atMs,
      micros: Math.round(durationMs * 1000),
      words: [name, ...(name === 'AUTH' || name === 'HELLO' ? [] : words)],
      address: from.address,
      name: from.name ?? '',
    })
    if (this.#kept.length > mostKept) this.#kept.shift()
  }

  reset(): void {
    this.#kept.length = 0
  }

  /** The newest first. */
  entries(count: number): Reply {
    return this.#kept
      .slice(-count)
      .toReversed()
      .map(({ id, atMs, micros, words, address, name }): Reply => [
        id,
        Math.floor(atMs / 1000),
        micros,
        words,
        address,
        name,
      ])
  }
}
