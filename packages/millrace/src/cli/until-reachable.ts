import { isFailure } from '../errors/index.ts'
import { backoffMs, sleep, systemClock } from '../kit/index.ts'

const waits = { firstMs: 500, maxMs: 10_000 }

/**
 * Opens something that needs a cluster, and tries again for ever while the cluster is away: a service that starts before its
 * broker must not end. Says so once.
 *
 * @throws what is not retriable, and the signal's reason
 */
export async function untilReachable<T>(
  open: () => Promise<T>,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const opened = await open()
      if (attempt > 1) say('The cluster answers')
      return opened
    } catch (error) {
      signal.throwIfAborted()
      if (!isFailure(error) || !error.retriable) throw error
      if (attempt === 1) say(`${error.message}; trying again until it answers`)
      await sleep(systemClock, backoffMs(waits, attempt), signal)
    }
  }
}
