// Record batches, compression, checksums
export { compress, compressionNames, decompress, type Compression } from './compression/index.ts'
export {
  errorCodes,
  kafkaErrorOf,
  kafkaErrors,
  type KafkaErrorName,
  type KafkaErrorRow,
} from './kafka-errors.ts'
export { murmur2, partitionOfKey } from './murmur2.ts'
export * from './records/index.ts'
