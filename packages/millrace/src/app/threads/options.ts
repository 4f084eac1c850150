import { availableParallelism } from 'node:os'

import type { Size } from '../../kit/index.ts'

/** The handler is a module of its own, which runs in a pool of worker threads. */
export interface ThreadOptions {
  /**
   * The module: `new URL('./resize.ts', import.meta.url)`. Its default export is what `defineThreadHandler` returns. A `.ts`
   * that was compiled is found as `.js` beside it.
   */
  readonly handler: URL | string
  /** Calls at once, over all partitions of the consumer. Default: one less than the machine has cores, at least 1. */
  readonly threads?: number
  /** Most heap of one thread. Default: Node's. */
  readonly threadMemory?: Size
}

export const threadDefaults = {
  get threads(): number {
    return Math.max(1, availableParallelism() - 1)
  },
}

/** A call that goes on for so long after its signal was aborted ends with its thread. */
export const graceMs = 500

/** How often a running call's `stopping` is looked at. */
export const stoppingPollMs = 100
