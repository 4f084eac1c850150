import type { Later, Reply } from './reply.ts'
import type { Session } from './session.ts'

/** A command as it came. */
export interface Command {
  /** In upper case. */
  readonly name: string
  /** As it was spelled; null for a null bulk. */
  readonly spelled: Buffer | null
  /** Without the name; null for a null bulk. Views of read buffers: copy what is kept past the call. */
  readonly args: readonly (Buffer | null)[]
}

/**
 * Runs one command. Commands of a connection run one after the other: a promise holds the next back, `Later` does not.
 * A thrown `ReplyError` is the reply; anything else thrown is a defect, answered as `ERR internal error`.
 */
export type CommandHandler = (command: Command, session: Session) => Reply | Promise<Reply> | Later

/** A group of commands with the state behind them. */
export interface GatewayPart {
  /** By name in upper case. A name that the original lacked is refused in strict mode: `extensions`. */
  readonly commands: Readonly<Record<string, CommandHandler>>
  readonly extensions?: Readonly<Record<string, CommandHandler>>
  /** The connection has ended: gives back what it held (commit, leave). Never rejects. Its name is free when all parts are done. */
  closed?(session: Session): Promise<void>
  /** Draining has begun: blocked calls answer `CONS Server shutdown`, consumers commit and leave. Never rejects. */
  drain?(): Promise<void>
  /** The last step of a stop: what is accepted is delivered, or told, until `deadlineMs` (monotonic). Never rejects. */
  stop?(deadlineMs: number): Promise<void>
  /** Figures for INFO and /metrics: name (snake case, unit as suffix) to value or to values by label. */
  figures?(): Figures
}

export type Figures = Readonly<
  Record<
    string,
    | number
    | readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
  >
>
