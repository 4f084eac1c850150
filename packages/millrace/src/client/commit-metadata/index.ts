export { joinMetadata, splitMetadata, userMetadataLimit } from './commit-metadata.ts'
export type { Runs } from './ranges.ts'
