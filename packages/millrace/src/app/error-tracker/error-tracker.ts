import type { MiddlewareLayers } from '../middleware/middleware.ts'
import type { ErrorReport } from './report.ts'

export interface ErrorTrackerOptions {
  /** Hands the error over. @param report - where it came up */
  readonly captureException: (error: unknown, report: ErrorReport) => void
  /** Default: every error is reported, each attempt of a message once. */
  readonly shouldReport?: (report: ErrorReport) => boolean
}

/**
 * A middleware that tells an error tracker of every error once: those of handlers with consumer, topic, partition,
 * offset and attempt, and those of hooks, background delivery, commits and the worker itself.
 *
 * @example
 * defineApp({
 *   middleware: [
 *     errorTracker({
 *       captureException: (error, { consumer, offset }) => console.error(consumer, offset, error),
 *       shouldReport: ({ attempt }) => attempt === undefined || attempt === 1,
 *     }),
 *   ],
 * })
 */
export function errorTracker({
  captureException,
  shouldReport = () => true,
}: ErrorTrackerOptions): MiddlewareLayers {
  return {
    name: 'error tracker',
    error(report) {
      if (shouldReport(report)) captureException(report.error, report)
    },
  }
}
