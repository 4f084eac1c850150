export { errorTracker, type ErrorTrackerOptions } from './error-tracker.ts'
export type { ErrorReport } from './report.ts'
export { sentry, type SentryOptions } from './sentry.ts'
export { trackErrors } from './track-errors.ts'
