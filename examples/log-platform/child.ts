import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** In a child: its options, and a way to tell the parent something. Ends with the parent. */
export function connectParent(): {
  readonly options: unknown
  readonly tell: (state: object) => void
} {
  process.once('disconnect', () => process.exit(0))
  return {
    options: JSON.parse(process.argv[2] ?? '{}') as unknown,
    tell: (state) => {
      if (process.connected) process.send?.(state)
    },
  }
}

export interface Child<S> extends AsyncDisposable {
  readonly pid: number | undefined
  /** The last thing it said. */
  readonly state: S
  /** How often it was started again. */
  readonly restarts: number
  /** Resolves when it ended by itself with code 0. */
  readonly ended: Promise<void>
}

const quickRestarts = 20

/**
 * Runs a script of this folder as a process and starts it again whenever it dies. Resolves with its first words.
 *
 * @param optionsFor - the options of one start; gets the last state, so that a port can be kept
 */
export async function startChild<S extends object>(
  script: string,
  optionsFor: (last: S | undefined) => object,
): Promise<Child<S>> {
  const first = Promise.withResolvers<S>()
  const ended = Promise.withResolvers<void>()
  ended.promise.catch(() => undefined)
  let state: S | undefined
  let child: ChildProcess | undefined
  let restarts = -1
  const stopping = new AbortController()

  const run = async (): Promise<void> => {
    let failures = 0
    while (!stopping.signal.aborted) {
      restarts++
      const startedMs = performance.now()
      child = fork(join(import.meta.dirname, script), [JSON.stringify(optionsFor(state))])
      child.on('message', (message) => {
        state = message as S
        first.resolve(state)
      })
      const [code] = (await once(child, 'exit')) as [number | null]
      if (code === 0 || stopping.signal.aborted) break
      failures = performance.now() - startedMs > 2_000 ? 0 : failures + 1
      if (failures > quickRestarts)
        throw new Error(`${script} ended ${failures} times with code ${code}`)
      await wait(Math.min(1000, 50 * failures))
    }
  }
  run().then(ended.resolve, (error: unknown) => {
    ended.reject(error)
    first.reject(error)
  })
  await first.promise
  return {
    get pid() {
      return child?.pid
    },
    get state() {
      return state as S
    },
    get restarts() {
      return restarts
    },
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      if (child?.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGTERM')
        await exited
      }
    },
  }
}
