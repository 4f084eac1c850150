import { parseSize } from '../../kit/index.ts'
import type { Moment } from '../consumer/consumer-class.ts'
import type { HookName } from '../consumer/hooks.ts'
import type { Handler } from '../consumer/plan.ts'
import type { ErrorMatcher } from '../retry/options.ts'
import { threadDefaults, type ThreadOptions } from './options.ts'
import { ThreadPool } from './thread-pool.ts'
import { threadModule } from './validate.ts'

/** What stops the worker: the next message would fare no better. */
export const criticalInThreads = ['MR_APP_THREAD_MEMORY', 'MR_APP_THREAD_MODULE'] as const

/**
 * Handlers of the partitions of one consumer, over one pool.
 * @param hooks - makes what calls the consumer's hooks, which run in the worker's own thread
 * @param matchers - `nonRetryable` and `critical`: errors of the classes among them are told apart after they crossed
 */
export function threadedHandlers(
  consumer: string,
  options: ThreadOptions,
  hooks: () => Handler,
  matchers: readonly ErrorMatcher[],
): () => Handler {
  const module = threadModule(options.handler)
  const bytes = options.threadMemory === undefined ? undefined : parseSize(options.threadMemory)
  const pool = new ThreadPool(
    {
      consumer,
      module: String(module),
      memoryMiB: bytes === undefined ? undefined : Math.ceil(bytes / 1024 / 1024),
      knownClasses: classesIn(matchers),
    },
    threadCount(options),
  )
  return () => new ThreadedHandler(pool, hooks())
}

export function threadCount({ threads }: ThreadOptions): number {
  return threads ?? threadDefaults.threads
}

class ThreadedHandler implements Handler {
  readonly #pool: ThreadPool
  readonly #hooks: Handler
  #hasLeft = false

  constructor(pool: ThreadPool, hooks: Handler) {
    this.#pool = pool
    this.#hooks = hooks
    pool.enter()
  }

  consume(moment: Moment): unknown {
    return this.#pool.run(moment)
  }

  has(hook: HookName): boolean {
    return isLast(hook) || this.#hooks.has(hook)
  }

  async hook(hook: HookName, now: Moment, argument?: unknown): Promise<unknown> {
    try {
      return await this.#hooks.hook(hook, now, argument)
    } finally {
      if (isLast(hook) && !this.#hasLeft) {
        this.#hasLeft = true
        await this.#pool.leave()
      }
    }
  }
}

/** One of the two comes at the end of each tenure, when the running call is over or was left behind. */
function isLast(hook: HookName): boolean {
  return hook === 'revoked' || hook === 'shutdown'
}

function classesIn(matchers: readonly ErrorMatcher[]): ReadonlyMap<string, object> {
  const classes = matchers.filter(
    (one): one is Extract<ErrorMatcher, abstract new (...parameters: never[]) => Error> =>
      typeof one === 'function' && (one.prototype as unknown) instanceof Error,
  )
  return new Map(classes.map((one) => [one.name, one.prototype as object]))
}
