import { isFailure } from '../../../errors/index.ts'
import { events } from '../../../telemetry/index.ts'
import { reasonOf } from '../../owner/describe.ts'
import { defineLine, list, milliseconds, type Line } from '../define-line.ts'

/** Lines about the process: start, stop, signals, and errors that no other line tells. */
export const workerLines: readonly Line[] = [
  defineLine(events.appRunning, 'info', ({ pid, groups, topics, brokers }) => [
    `Worker ${pid} running: groups ${list(groups)}; topics ${list(topics)}; brokers ${list(brokers)}`,
  ]),
  defineLine(events.processSignal, 'info', ({ signal, action }) => [
    `Received ${signal}, ${action}`,
  ]),
  defineLine(events.appStopped, 'info', ({ pid, durationMs, exitCode }) => [
    `Worker ${pid} stopped after ${milliseconds(durationMs)}`,
    { exitCode },
  ]),
  defineLine(events.appForced, 'error', ({ running, error }, { told }) => {
    told.add(error)
    return [`Forced stop; still running: ${list(running)}`]
  }),
  defineLine(events.processLoopDelay, 'warn', ({ delayMs, jobs, isGrave }) =>
    isGrave ? undefined : [blocked(delayMs, jobs)],
  ),
  // So long that the session may end next time, since heartbeats stand still as well.
  defineLine(events.processLoopDelay, 'error', ({ delayMs, jobs, isGrave }) =>
    isGrave ? [blocked(delayMs, jobs)] : undefined,
  ),
  defineLine(events.metricsListening, 'info', ({ address }) => [
    `Metrics on http://${address}/metrics`,
  ]),
  defineLine(events.topicsCreated, 'info', ({ topics }) => [`Created topics ${list(topics)}`]),
  defineLine(events.error, 'error', ({ type, error }, { told }) => {
    if (hasOwnLine.has(type) || isFailure(error, 'MR_OFFSETS_LOST')) return undefined
    if (typeof error === 'object' && error !== null) {
      if (told.has(error)) return undefined
      told.add(error)
    }
    return [`${type}: ${reasonOf(error)}`, { err: error }]
  }),
]

/** Failures of handlers and of what leaves the hand have lines that say more. */
const hasOwnLine = new Set(['consumer', 'deadletter', 'retry-topic'])

function blocked(delayMs: number, jobs: readonly string[]): string {
  return `The event loop was blocked for ${milliseconds(delayMs)}; running: ${list(jobs)}`
}
