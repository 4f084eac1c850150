export {
  openReader,
  type Reader,
  type ReaderOptions,
  type ReadFrom,
  type ReadPartition,
  type ReadTo,
} from './reader.ts'
