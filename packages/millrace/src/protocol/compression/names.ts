/** In the order of their ids: bits 0-2 of a batch's attributes. 5 to 7 mean nothing to Kafka. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type Compression = (typeof compressionNames)[number]
