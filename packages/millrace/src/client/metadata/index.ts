export type { FindOptions } from './coordinators.ts'
export { MetadataCache, type MetadataSettings, type TopicOptions } from './metadata-cache.ts'
export type { PartitionMetadata, TopicMetadata } from './topic-metadata.ts'
