import type { WorkerStatus } from '../control/index.ts'
import type { Killer } from './crashes.ts'

/** What a parent tells a child before it starts, in its environment. */
export interface ChildOrders {
  /** From 1. */
  readonly index: number
  /** `worker:2`, or a consumer's instance. */
  readonly name: string
  /** Undefined: no static member. */
  readonly instanceId: string | undefined
  readonly worker: string | undefined
  readonly parent: number
  readonly restarts: number
  readonly reportEveryMs: number
  /** After an abrupt end: note there which message is handled. */
  readonly noteIn?: string | undefined
  /** Messages that have ended too many processes. */
  readonly killers?: readonly Killer[]
  /** What the program was called with, for programs that start themselves as children. */
  readonly input?: unknown
}

export const ordersVariable = 'MILLRACE_CHILD'

/** What a child tells its parent over the channel between them. */
export interface ChildReport {
  readonly millrace: 'report'
  readonly status: WorkerStatus
}

/** Undefined for a process that nobody forked as a child. */
export function readOrders(
  env: Readonly<Record<string, string | undefined>>,
): ChildOrders | undefined {
  const text = env[ordersVariable]
  if (text === undefined || text === '') return undefined
  return JSON.parse(text) as ChildOrders
}

/** User code may send its own messages over the channel. */
export function isReport(message: unknown): message is ChildReport {
  return (
    typeof message === 'object' &&
    message !== null &&
    'millrace' in message &&
    message.millrace === 'report'
  )
}
