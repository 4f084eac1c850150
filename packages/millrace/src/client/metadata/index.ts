export { MetadataCache } from './metadata-cache.ts'
export type { PartitionMetadata, TopicMetadata } from './topic-metadata.ts'
