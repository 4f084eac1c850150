export { openClient, type Client, type ClientOptions } from './client.ts'
export type { ClientCore } from './client-core.ts'
export type { BrokerAddress, Dial, TlsOptions } from './connections/index.ts'
export { isRetriable, kafkaCodeOf, kafkaFailure } from './kafka-failure.ts'
export type { PartitionMetadata, TopicMetadata } from './metadata/index.ts'
export type {
  FlushOptions,
  OutgoingMessage,
  Producer,
  ProducerOptions,
  SendResult,
} from './producer/index.ts'
