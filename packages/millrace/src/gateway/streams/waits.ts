/** Waits of blocked commands: each ends by its time, with its connection, or when the gateway stops. */
import { orAbort, type Clock, type Timer } from '../../kit/index.ts'
import type { Session } from '../session.ts'

export interface Wait {
  readonly signal: AbortSignal
  /** Why the signal aborted: the time is over, or nobody waits any more. */
  readonly isOver: boolean
  end(): void
}

/** While the gateway drains: soon enough for its stop, and no reason for clients to ask again and again at once. */
const drainingMs = 250

export class Waits {
  readonly #clock: Clock
  readonly #open = new Set<() => void>()
  #isDraining = false
  #areEnded = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls that are blocked now. */
  get blocked(): number {
    return this.#open.size
  }

  /** Bounds work that does not block: by its time, and not by its connection, which may have ended its side and read on. */
  bound(ms: number): Wait {
    return this.open(undefined, ms)
  }

  /** @param wantedMs - 0: for ever */
  open(session: Session | undefined, wantedMs: number): Wait {
    const isLong = wantedMs === 0 || wantedMs > drainingMs
    const ms = this.#isDraining && isLong ? drainingMs : wantedMs
    const abort = new AbortController()
    let timer: Timer | undefined
    const end = (): void => {
      timer?.cancel()
      session?.signal.removeEventListener('abort', stop)
      this.#open.delete(stop)
    }
    const stop = (): void => {
      end()
      abort.abort()
    }
    if (this.#areEnded || session?.signal.aborted === true) {
      abort.abort()
    } else {
      if (ms > 0) timer = this.#clock.after(ms, stop)
      session?.signal.addEventListener('abort', stop, { once: true })
      this.#open.add(stop)
    }
    return {
      signal: abort.signal,
      get isOver() {
        return abort.signal.aborted
      },
      end,
    }
  }

  /** Ends what is blocked now; from now on nothing blocks for long. */
  drain(): void {
    this.#isDraining = true
    for (const stop of Array.from(this.#open)) stop()
  }

  /** Nothing waits from now on. */
  end(): void {
    this.#areEnded = true
    this.drain()
  }
}

/** A signal that also aborts after a time: for looking again at what tells nobody when it moves. */
export function shorter(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
): { readonly signal: AbortSignal; end(): void } {
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  const timer = clock.after(ms, stop)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  return {
    signal: abort.signal,
    end() {
      timer.cancel()
      signal.removeEventListener('abort', stop)
    },
  }
}

/** Starts work and waits for it, or for the signal. What is not waited for any more is not started. */
export async function during<T>(signal: AbortSignal, start: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  return orAbort(start(), signal)
}
