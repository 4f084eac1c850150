import { isFailure } from '../../errors/index.ts'

/** One error, with what is known of where it came up. */
export interface ErrorReport {
  /** As it was thrown: an error of a handler is that of the handler, not one of Millrace around it. */
  readonly error: unknown
  /** Its place: `consumer` for handlers, `hook.tick`, `producer`, `commit`, `group`, `worker`, ... */
  readonly type: string
  readonly group: string | undefined
  /** As log lines call it: the class, or the name. */
  readonly consumer: string | undefined
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly offset: number | undefined
  /** From 1. */
  readonly attempt: number | undefined
}

/** What the event `error` tells, taken apart. */
export function reportOf({
  type,
  error,
}: {
  readonly type: string
  readonly error: unknown
}): ErrorReport {
  const known: Readonly<Record<string, unknown>> = isFailure(error) ? error.context : {}
  const isWrapped = isFailure(
    error,
    'MR_APP_HANDLER_FAILED',
    'MR_APP_HOOK_FAILED',
    'MR_RECURRING_FAILED',
    'MR_WORKER_UNHANDLED',
  )
  return {
    error: isWrapped && error.cause !== undefined ? error.cause : error,
    type,
    group: text(known['group']),
    consumer: text(known['consumer']),
    topic: text(known['topic']),
    partition: number(known['partition']),
    offset: number(known['offset']),
    attempt: number(known['attempt']),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
