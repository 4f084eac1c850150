export { bytes, json, text, type Codec } from './topic/codec.ts'
export {
  defineTopic,
  type AnyTopic,
  type InputOf,
  type KeyOf,
  type Topic,
  type TopicOptions,
  type ValueOf,
} from './topic/define-topic.ts'
export { deadLetter, failed, retry, skip, stop, type Failure, type Outcome } from './outcome.ts'
export { Consumer, Consumer as ApplicationConsumer } from './consumer/consumer-class.ts'
export {
  defineConsumer,
  type ConsumerDefinition,
  type ConsumerSettings,
} from './consumer/define-consumer.ts'
export type { Assignment, Hooks } from './consumer/hooks.ts'
export { planConsumer } from './consumer/plan-consumer.ts'
export type { ConsumerPlan } from './consumer/plan.ts'
export type { Context, Responses, SeekTo } from './context/context.ts'
export type { DeadLetterInfo, DeadLetterOptions } from './dead-letter/index.ts'
export type { Message, Messages } from './message/message.ts'
export type { Middleware, MiddlewareLayers } from './middleware/middleware.ts'
export { Committer, type CommitPort } from './offsets/committer.ts'
export { PartitionOwner, type OwnerState } from './owner/partition-owner.ts'
export { Slots } from './owner/slots.ts'
export type {
  EncodedMessage,
  Header,
  Logger,
  Runnable,
  SeekTarget,
  Sent,
  SourceMessage,
  SourcePartition,
} from './ports.ts'
export { encodeMessage, type Send, type Sendable } from './produce/sendable.ts'
