export { apiByKey, apis } from './apis/apis.ts'
export {
  defineApi,
  type AnyApi,
  type Api,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
} from './schema/define-api.ts'
export {
  decodeRequest,
  decodeRequestBody,
  decodeResponse,
  decodeResponseBody,
  encodeRequest,
  encodeRequestBody,
  encodeResponse,
  encodeResponseBody,
  readCorrelationId,
  readRequestHeader,
  type RequestHeader,
} from './messages.ts'
export { dumpSchemas, type ApiDump, type FieldDump } from './dump-schemas.ts'
export type { Field, Shape } from './schema/field.ts'
export type { Message } from './schema/message.ts'
export {
  consumerAssignment,
  consumerSubscription,
  cooperativeStickyUserData,
  stickyUserData,
} from './embedded/consumer-protocol.ts'
export {
  groupMetadataKey,
  groupMetadataValue,
  offsetCommitKey,
  offsetCommitValue,
} from './embedded/coordinator-records.ts'
export { defineStruct, readStructVersion, type Struct } from './embedded/define-struct.ts'

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
