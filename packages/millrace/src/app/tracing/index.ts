export { traced } from './active.ts'
export { tracingOptions } from './options.ts'
export { withTracing } from './with-tracing.ts'
