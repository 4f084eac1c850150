export {
  AuthError,
  CodecError,
  ConfigError,
  ConnectionError,
  failure,
  HandlerError,
  InternalError,
  isFailure,
  KafkaError,
  MillraceError,
  SchemaError,
  StorageError,
  TimeoutError,
  UsageError,
} from './millrace-error.ts'
export type { ErrorClass, ErrorRow } from './row.ts'
export { errorTable, type ErrorCode, type ErrorContext } from './table.ts'
