import type { Command } from '../command.ts'
import { Simple } from '../reply.ts'
import { quoteArgument } from '../resp/reply-writer.ts'
import type { Connection } from './connection.ts'

const mostMonitors = 64
/** Lines that a slow reader may leave unread; a line has a few hundred bytes at most. */
const mostUnsentBytes = 256 * 1024

/** Whoever watches all commands of this process. */
export class Monitors {
  readonly #watching = new Set<Connection>()
  /** Lines that slow readers did not get. */
  dropped = 0

  get size(): number {
    return this.#watching.size
  }

  /** False: there are as many as there may be. */
  add(connection: Connection): boolean {
    if (!this.#watching.has(connection) && this.#watching.size >= mostMonitors) return false
    this.#watching.add(connection)
    connection.isMonitor = true
    return true
  }

  remove(connection: Connection): void {
    this.#watching.delete(connection)
    connection.isMonitor = false
  }

  /** Tells of a command, before it runs. */
  tell(command: Command, from: Connection, nowMs: number): void {
    if (this.#watching.size === 0) return
    const line = new Simple(lineOf(command, from, nowMs))
    for (const watcher of this.#watching) {
      if (watcher.unsent > mostUnsentBytes) this.dropped++
      else watcher.send(line)
    }
  }
}

function lineOf({ name, args }: Command, from: Connection, nowMs: number): string {
  const who = from.name === undefined ? from.address : `${from.name} ${from.address}`
  const words = [quoteArgument(Buffer.from(name, 'latin1')), ...shown(name, args)]
  return `${(nowMs / 1000).toFixed(6)} [0 ${who}] ${words.join(' ')}`
}

/** Credentials are nobody's business. */
function shown(name: string, args: readonly (Buffer | null)[]): string[] {
  if (name === 'AUTH') return ['"(redacted)"']
  if (name !== 'HELLO') return args.map((one) => quoteArgument(one))
  const auth = args.findIndex((one) => one?.toString().toUpperCase() === 'AUTH')
  return args.map((one, at) =>
    auth >= 0 && (at === auth + 1 || at === auth + 2) ? '"(redacted)"' : quoteArgument(one),
  )
}
