import type { OptionRow, OptionTable, OptionValues } from '../config/index.ts'
import type { Cluster } from './cluster.ts'
import type { OutputFormat, Printer } from './printer.ts'

/** What a command may do to a cluster, tested for every command. `run` starts something that stays. */
export type Safety = 'read' | 'write' | 'change' | 'destroy' | 'run'

export interface ArgumentSpec {
  readonly about: string
  /** Default true. */
  readonly isRequired?: boolean
  /** Takes all that follows. Default false. */
  readonly isList?: boolean
}

export type ArgumentTable = Readonly<Record<string, ArgumentSpec>>

/** An option of the option table, and the one letter that stands for it. */
export interface CommandOption extends OptionRow {
  readonly short?: string
  /** The whole numbers that it takes. */
  readonly range?: readonly [least: number, most: number]
}

/** 0 takes any free one. */
export const ports = [0, 65_535] as const

export type ArgumentValues<A extends ArgumentTable> = {
  readonly [K in keyof A]: A[K] extends { readonly isList: true }
    ? readonly string[]
    : A[K] extends { readonly isRequired: false }
      ? string | undefined
      : string
}

/** What the options that every command takes were set to. */
export interface GlobalOptions {
  readonly output: OutputFormat
  readonly brokers: string | undefined
  readonly config: string | undefined
  readonly verbose: boolean
}

export interface CommandContext {
  readonly print: Printer
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder the command was called in. */
  readonly folder: string
  /** What the options that every command takes were set to. */
  readonly globals: GlobalOptions
  /** Connects on the first call; closed when the command ends. */
  readonly cluster: () => Promise<Cluster>
}

/** What the table says of a command before it is loaded. */
export interface CommandHead {
  /** `topics list`: noun, then verb; everyday verbs stand alone. */
  readonly name: string
  readonly aliases?: readonly string[]
  readonly about: string
  readonly safety: Safety
}

/** The rest of a command as data, and the few lines that run it. Help, reference and completion are made from it. */
export interface Command<
  A extends ArgumentTable = ArgumentTable,
  O extends OptionTable = OptionTable,
> {
  readonly arguments: A
  readonly options: O
  /** Help opens with these; a test runs each one. */
  readonly examples: readonly string[]
  /** Returns the exit code; nothing means 0. */
  readonly run: (
    input: ArgumentValues<A> & OptionValues<O>,
    context: CommandContext,
  ) => Promise<number | void>
}

/** A command whose argument and option types are not known here. */
export interface AnyBody extends Omit<Command, 'run'> {
  readonly run: (input: never, context: CommandContext) => Promise<number | void>
}

/** A command with all that is known of it. */
export interface AnyCommand extends CommandHead, AnyBody {}

/** A row of the table. */
export interface CommandRow extends CommandHead {
  readonly load: () => Promise<AnyBody>
}

export function defineCommand<
  const A extends ArgumentTable,
  const O extends Readonly<Record<string, CommandOption>>,
>(command: Command<A, O>): Command<A, O> {
  return command
}
