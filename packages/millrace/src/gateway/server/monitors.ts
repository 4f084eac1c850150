import type { Command } from '../command.ts'
import { Simple } from '../reply.ts'
import { quoteArgument } from '../resp/reply-writer.ts'
import type { Connection } from './connection.ts'

const mostMonitors = 64
/** Lines that a slow reader may leave unread; what comes beyond is dropped. */
const mostLines = 1000
/** Of one line: a command may have 65,536 arguments, and its line is kept for slow readers. */
const mostLineLength = 16 * 1024
/** Written before the socket is asked again whether it takes more. */
const linesAtOnce = 100

interface Watcher {
  readonly connection: Connection
  lines: Simple[]
  isPlanned: boolean
}

/** Whoever watches all commands of this process. */
export class Monitors {
  readonly #watching = new Map<Connection, Watcher>()
  /** Lines that slow readers did not get. */
  dropped = 0

  get size(): number {
    return this.#watching.size
  }

  /** False: there are as many as there may be. */
  add(connection: Connection): boolean {
    if (this.#watching.has(connection)) return true
    if (this.#watching.size >= mostMonitors) return false
    const watcher: Watcher = { connection, lines: [], isPlanned: false }
    this.#watching.set(connection, watcher)
    connection.isMonitor = true
    connection.isListener = true
    connection.onRoom = () => this.#pour(watcher)
    return true
  }

  remove(connection: Connection): void {
    if (!this.#watching.delete(connection)) return
    connection.isMonitor = false
    connection.onRoom = undefined
  }

  /** Tells of a command, before it runs. */
  tell(command: Command, from: Connection, nowMs: number): void {
    const line = new Simple(lineOf(command, from, nowMs))
    for (const watcher of this.#watching.values()) {
      if (watcher.lines.length >= mostLines && !watcher.connection.isFull) this.#pour(watcher)
      if (watcher.lines.length >= mostLines) {
        this.dropped++
        continue
      }
      watcher.lines.push(line)
      if (watcher.isPlanned) continue
      watcher.isPlanned = true
      process.nextTick(() => {
        watcher.isPlanned = false
        this.#pour(watcher)
      })
    }
  }

  #pour(watcher: Watcher): void {
    const { connection, lines } = watcher
    let sent = 0
    while (sent < lines.length && !connection.isFull) {
      const some = lines.slice(sent, sent + linesAtOnce)
      connection.sendNow(some)
      sent += some.length
    }
    if (sent > 0) watcher.lines = lines.slice(sent)
  }
}

function lineOf(command: Command, from: Connection, nowMs: number): string {
  const who = from.name === undefined ? from.address : `${from.name} ${from.address}`
  let line = `${(nowMs / 1000).toFixed(6)} [0 ${who}] ${quoteArgument(Buffer.from(command.name, 'latin1'))}`
  let shown = 0
  for (const word of wordsOf(command)) {
    if (line.length > mostLineLength) return `${line} ... (${command.args.length - shown} more)`
    line += ` ${word}`
    shown++
  }
  return line
}

/** Credentials are nobody's business. */
function* wordsOf({ name, args }: Command): Iterable<string> {
  const hidden = '"(redacted)"'
  if (name === 'AUTH') {
    yield hidden
    return
  }
  const isHello = name === 'HELLO'
  const auth = isHello ? args.findIndex((one) => one?.toString().toUpperCase() === 'AUTH') : -1
  for (const [at, one] of args.entries()) {
    const isSecret = auth >= 0 && (at === auth + 1 || at === auth + 2)
    yield isSecret ? hidden : quoteArgument(one)
  }
}
