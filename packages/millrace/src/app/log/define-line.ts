import type { TelemetryEvent } from '../../telemetry/index.ts'
import { reasonOf } from '../owner/describe.ts'
import type { Commits } from './commits.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** `development`: info there, where people follow single messages, and debug elsewhere. */
export type LineLevel = Level | 'development'

/** What the lines of one log remember of earlier ones. */
export interface LogMemory {
  readonly commits: Commits
  /** Errors that have had their line: the event `error` must not tell them again. */
  readonly told: WeakSet<object>
}

/** Text, and fields beside those that every line of its event has. Undefined: nothing to say this time. */
export type Written = readonly [text: string, fields?: object] | undefined

/** One kind of log line: which event, at which level, what it says. */
export interface Line {
  readonly event: TelemetryEvent<object>
  readonly level: LineLevel
  readonly write: (payload: object, memory: LogMemory) => Written
}

export function defineLine<P extends object>(
  event: TelemetryEvent<P>,
  level: LineLevel,
  write: (payload: P, memory: LogMemory) => Written,
): Line {
  return {
    event,
    level,
    write: write as Line['write'],
  }
}

export function list(texts: readonly string[]): string {
  return texts.length === 0 ? 'none' : texts.join(', ')
}

export function partitions(
  all: readonly { readonly topic: string; readonly partition: number }[],
): string {
  return list(all.map(({ topic, partition }) => `${topic}/${partition}`).toSorted())
}

export function positions(
  all: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[],
): string {
  return list(all.map(({ topic, partition, offset }) => `${topic}/${partition}:${offset}`))
}

export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`
}

export function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`
}

/** The error's text, and a note that it has been told. */
export function tell(error: unknown, { told }: LogMemory): string {
  if (typeof error === 'object' && error !== null) told.add(error)
  return reasonOf(error)
}
