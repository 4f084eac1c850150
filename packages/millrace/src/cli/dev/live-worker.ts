import type { Worker } from '../../app/index.ts'
import { deferred } from '../../kit/index.ts'
import { reportText } from '../report.ts'

export interface LiveWorkerParts<C> {
  /** Loads the application's code anew. */
  readonly load: () => Promise<C>
  /** Throws for a configuration that could not run. */
  readonly validate: (config: C) => void
  readonly start: (config: C) => Promise<Worker>
  readonly note: (line: string) => void
  readonly nowMs: () => number
}

/** A worker that is replaced while everything around it stays. */
export interface LiveWorker extends AsyncDisposable {
  /** Undefined while none runs: neither the new code nor the old could be started. */
  readonly worker: Worker | undefined
  /** Loads the code and replaces the worker; with code that cannot be loaded the old one goes on. */
  restart(reason: string): Promise<void>
  /** The exit code of a worker that ended by itself. */
  readonly ended: Promise<number>
}

export async function startLiveWorker<C>(
  first: C,
  { load, validate, start, note, nowMs }: LiveWorkerParts<C>,
): Promise<LiveWorker> {
  const ended = deferred<number>()
  let config = first
  let worker: Worker | undefined
  let isClosed = false
  let waiting: Promise<void> | undefined
  let running: Promise<void> = Promise.resolve()

  const run = async (next: C): Promise<void> => {
    const started = await start(next)
    worker = started
    void tellOfEnd(started)
  }

  const tellOfEnd = async (started: Worker): Promise<void> => {
    const exitCode = await started.done
    if (worker === started && !isClosed) ended.resolve(exitCode)
  }

  const replace = async (reason: string): Promise<void> => {
    const startMs = nowMs()
    let next: C
    try {
      next = await load()
      validate(next)
    } catch (error) {
      note(`${reason}, but cannot be used; the old code goes on:\n${told(error)}`)
      return
    }
    if (isClosed) return
    const before = worker
    worker = undefined
    await before?.stop()
    try {
      await run(next)
      config = next
      note(`${reason}: the worker restarted in ${Math.round(nowMs() - startMs)} ms`)
    } catch (error) {
      note(`${reason}, but does not start; back to the old code:\n${told(error)}`)
      // What failed may have been the surroundings, a database that is away: then this fails, too, and the next
      // change tries again.
      await run(config).catch((again: unknown) => note(`nor does the old code:\n${told(again)}`))
    }
  }

  await run(first)
  return {
    get worker() {
      return worker
    },
    ended: ended.promise,
    restart(reason) {
      // Changes that come during a restart are one more restart, not one each.
      waiting ??= running.then(() => {
        waiting = undefined
        running = isClosed ? Promise.resolve() : replace(reason)
        return running
      })
      return waiting
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      await running
      await worker?.[Symbol.asyncDispose]()
    },
  }
}

function told(error: unknown): string {
  return reportText(error, { isJson: false, isVerbose: false }).trimEnd().replaceAll(/^/gm, '  ')
}
