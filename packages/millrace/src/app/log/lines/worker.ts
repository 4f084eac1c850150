import { events } from '../../../telemetry/index.ts'
import { reasonOf } from '../../owner/describe.ts'
import { defineLine, list, milliseconds, type Line } from '../define-line.ts'

/** Lines about the process: start, stop, signals, and errors that no other line tells. */
export const workerLines: readonly Line[] = [
  defineLine(events.workerRunning, 'info', ({ pid, groups, topics, brokers }) => [
    `Worker ${pid} running: groups ${list(groups)}; topics ${list(topics)}; brokers ${list(brokers)}`,
  ]),
  defineLine(events.processSignal, 'info', ({ signal, action }) => [
    `Received ${signal}, ${action}`,
  ]),
  defineLine(events.workerStopped, 'info', ({ pid, durationMs, exitCode }) => [
    `Worker ${pid} stopped after ${milliseconds(durationMs)}`,
    { exitCode },
  ]),
  defineLine(events.workerForced, 'error', ({ running }) => [
    `Forced stop; still running: ${list(running)}`,
  ]),
  defineLine(events.loopDelay, 'warn', ({ delayMs, jobs, isGrave }) =>
    isGrave ? undefined : [blocked(delayMs, jobs)],
  ),
  // So long that the session may end next time, since heartbeats stand still as well.
  defineLine(events.loopDelay, 'error', ({ delayMs, jobs, isGrave }) =>
    isGrave ? [blocked(delayMs, jobs)] : undefined,
  ),
  defineLine(events.topicsCreated, 'info', ({ topics }) => [`Created topics ${list(topics)}`]),
  defineLine(events.error, 'error', ({ type, error }, { told }) => {
    // Failures of handlers and of dead letters have lines that say more.
    if (type === 'consumer' || type === 'deadletter') return undefined
    if (typeof error === 'object' && error !== null) {
      if (told.has(error)) return undefined
      told.add(error)
    }
    return [`${type}: ${reasonOf(error)}`, { err: error }]
  }),
]

function blocked(delayMs: number, jobs: readonly string[]): string {
  return `The event loop was blocked for ${milliseconds(delayMs)}; running: ${list(jobs)}`
}
