export {
  defineThreadHandler,
  type ThreadContext,
  type ThreadHandlerDefinition,
} from './define-thread-handler.ts'
export type { ThreadOptions } from './options.ts'
export { criticalInThreads, threadCount, threadedHandlers } from './threaded-handlers.ts'
export { threadFaults } from './validate.ts'
