export { planRetryTopics, type RetryTopicsPlan } from './plan-retry-topics.ts'
export { retryTopicFaults, retryTopicsOf } from './validate.ts'
export { connectRetryTopics } from './connect.ts'
