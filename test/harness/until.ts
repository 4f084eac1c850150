import { inspect } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'

export interface UntilOptions {
  /** Milliseconds; default 20 s. */
  readonly deadline?: number
  /** What to show when the deadline passes: the state that the condition looks at. */
  readonly lastSeen?: () => unknown
}

const pollMs = 10

/**
 * Waits until a condition holds, and says what it saw last when it never did. The one wait that tests have: they
 * never sleep for a while and hope.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  options: UntilOptions = {},
): Promise<void> {
  const deadlineMs = options.deadline ?? 20_000
  const end = performance.now() + deadlineMs
  let lastError: unknown
  while (performance.now() < end) {
    try {
      if (await condition()) return
      lastError = undefined
    } catch (error) {
      lastError = error
    }
    await wait(pollMs)
  }
  const seen = options.lastSeen === undefined ? '' : `; last seen: ${inspect(options.lastSeen())}`
  throw new Error(`it did not come about within ${deadlineMs} ms that ${what}${seen}`, {
    cause: lastError,
  })
}
