/**
 * What a command answers, independent of the protocol's version:
 *
 * | value            | RESP2                | RESP3        |
 * | ---------------- | -------------------- | ------------ |
 * | number           | `:1`                 | same         |
 * | string, Buffer   | bulk                 | same         |
 * | null             | `$-1`                | `_`          |
 * | `nullArray`      | `*-1`                | `_`          |
 * | array            | array                | same         |
 * | `Simple`         | `+OK`                | same         |
 * | `MapReply`       | flat array           | map          |
 * | `ReplyError`     | `-text`              | same         |
 * | `nothing`        | nothing is written   | same         |
 */
export type Reply =
  | number
  | string
  | Buffer
  | null
  | readonly Reply[]
  | Simple
  | MapReply
  | ReplyError
  | typeof nullArray
  | typeof nothing

/** A simple string: `+OK`. */
export class Simple {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export class MapReply {
  readonly entries: readonly (readonly [key: Reply, value: Reply])[]
  constructor(entries: readonly (readonly [key: Reply, value: Reply])[]) {
    this.entries = entries
  }
}

/** An error of one command; the connection stays open. Thrown or returned. The text needs no escaping: the writer does it. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError'
  /** The connection is closed once the error has been sent. */
  readonly closes: boolean
  constructor(text: string, { closes = false }: { readonly closes?: boolean } = {}) {
    // An outcome, not a defect: nobody reads its stack, and taking one costs more than the whole command.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(text)
    Error.stackTraceLimit = stackTraceLimit
    this.closes = closes
  }
}

/** A null array: a BLPOP that timed out. */
export const nullArray = Symbol('null array')

/** The command has no reply, or has sent it by itself. */
export const nothing = Symbol('nothing')

export const ok = new Simple('OK')

/** A reply that comes later while the next commands already run; replies still leave in order. */
export class Later {
  readonly reply: Promise<Reply>
  constructor(reply: Promise<Reply>) {
    this.reply = reply
  }
}
