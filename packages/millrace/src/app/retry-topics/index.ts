export type { RetryTopicsOption, RetryTopicsOptions } from './options.ts'
export { planRetryTopics, type RetryTopicsPlan } from './plan-retry-topics.ts'
export { retryTopicFaults, retryTopicsOf } from './validate.ts'
export type { KeyOrder, RetryRuntime } from './key-order.ts'
