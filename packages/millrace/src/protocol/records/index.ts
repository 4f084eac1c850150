export { hasDeleteHorizon, isControl, isLogAppendTime, isTransactional } from './attributes.ts'
export { BatchBuilder, type BuildOptions } from './batch-builder.ts'
export {
  batchHeaderSize,
  batchSizeAt,
  hasValidCrc,
  placeBatch,
  readBatchHeader,
  splitBatches,
  stampLogAppendTime,
  stampProducer,
  type BatchHeader,
} from './batch-header.ts'
export {
  checkProducedBatch,
  type AcceptedBatch,
  type ProduceCheck,
  type RecordError,
  type RefusedBatch,
} from './check-produced-batch.ts'
export { compressionOf } from './compression-of.ts'
export { controlTypeOf, type ControlType } from './control-record.ts'
export { crc32c } from './crc32c.ts'
export { encodeBatch, type BatchFields } from './encode-batch.ts'
export type { Header, NewRecord, WireRecord } from './record.ts'
export { decodeRecords, recordCursor, RecordCursor, type DecodeOptions } from './record-cursor.ts'
export { produceConfigOf, type ProduceConfig } from './produce-config.ts'
export { storedBatchOf, type StoredBatch } from './stored-batch.ts'
