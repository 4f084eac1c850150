import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import { reasonOf } from '../owner/describe.ts'
import { ownerOfCode } from './running-jobs.ts'
import type { Worker } from './worker.ts'

/** What the process handlers need of a worker. */
export interface HandledWorker extends Worker {
  fail(error: unknown): void
}

const stopSignals: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGQUIT']

/** Signals, and errors that nobody waited for, which end the worker. Returns what takes the handlers away again. */
export function handleProcess(
  worker: HandledWorker,
  control: { readonly name: string; dump(): object },
): () => void {
  const handlers: (readonly [string, (cause: unknown) => void])[] = []
  const on = (name: string, handler: (cause: unknown) => void): void => {
    process.on(name, handler)
    handlers.push([name, handler])
  }
  // Told by `ps`, as other workers do it.
  const entitle = (state: string): void =>
    void (process.title = `millrace ${control.name} [${state}]`)
  entitle(worker.state)
  const untitle = events.appState.subscribe(({ state }) => entitle(state))
  for (const signal of stopSignals) {
    on(signal, () => {
      const action = worker.state === 'stopping' ? 'stopping at once' : 'stopping'
      events.processSignal.publish({ signal, action })
      void worker.stop()
    })
  }
  if (process.platform !== 'win32') {
    // On a terminal this is Ctrl-Z, which people mean as such.
    if (!process.stdin.isTTY) {
      on('SIGTSTP', () => {
        events.processSignal.publish({ signal: 'SIGTSTP', action: 'finishing what is in hand' })
        void worker.quiet()
      })
    }
    on('SIGTTIN', () => {
      events.processSignal.publish({ signal: 'SIGTTIN', action: 'status on standard error' })
      process.stderr.write(`${JSON.stringify(control.dump(), null, 2)}\n`)
    })
  }
  const onUnhandled = (cause: unknown): void => {
    const owner = ownerOfCode()
    const where =
      owner === undefined
        ? 'outside of handlers'
        : `left behind by ${owner.plan.title} on ${owner.topic.name}/${owner.source.partition}`
    worker.fail(failure('MR_WORKER_UNHANDLED', { where, reason: reasonOf(cause) }, { cause }))
  }
  on('unhandledRejection', onUnhandled)
  on('uncaughtException', onUnhandled)
  return () => {
    untitle()
    for (const [name, handler] of handlers) process.removeListener(name, handler)
  }
}
