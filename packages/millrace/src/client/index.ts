export { openClient, type Client, type ClientCore, type ClientOptions } from './client.ts'
export type { BrokerAddress, Dial, TlsOptions } from './connections/index.ts'
export { isRetriable, kafkaCodeOf, kafkaFailure } from './kafka-failure.ts'
export type { PartitionMetadata, TopicMetadata } from './metadata/index.ts'
