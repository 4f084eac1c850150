import type { ErrorRows } from '../row.ts'

type At = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const at = ({ topic, partition, offset }: At): string => `${topic}/${partition}@${offset}`

export const appErrors = {
  MR_APP_UNDECODABLE: {
    class: 'CodecError',
    retriable: false,
    message: ({
      part,
      reason,
      ...where
    }: At & { readonly part: string; readonly reason: string }) =>
      `the ${part} of ${at(where)} cannot be decoded: ${reason}`,
    hint: 'It will fail again: declare `deadLetter`, or correct the codec of the topic. `message.raw` holds the bytes.',
  },
  MR_APP_UNENCODABLE: {
    class: 'CodecError',
    retriable: false,
    message: ({
      topic,
      part,
      reason,
    }: {
      readonly topic: string
      readonly part: string
      readonly reason: string
    }) => `a ${part} for ${topic} cannot be encoded: ${reason}`,
    hint: 'Pass what the codec of the topic takes; the default is anything that JSON can hold.',
  },
  MR_APP_SCHEMA_MISMATCH: {
    class: 'SchemaError',
    retriable: false,
    message: ({ where, issues }: { readonly where: string; readonly issues: readonly string[] }) =>
      `the value of ${where} does not fit its schema: ${issues.join('; ')}`,
    hint: 'Correct the value at the producer, or the schema in defineTopic. It will not fit better next time.',
  },
  MR_APP_TOMBSTONE_REFUSED: {
    class: 'SchemaError',
    retriable: false,
    message: ({ where }: { readonly where: string }) =>
      `the value of ${where} is null, and the topic declares no tombstones`,
    hint: 'Say `tombstones: true` in defineTopic; the type of the value then includes null.',
  },
  MR_APP_SCHEMA_ASYNC: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic }: { readonly topic: string }) =>
      `the schema of ${topic} validates asynchronously, which a lazy value cannot`,
    hint: "Say `decode: 'ahead'` in defineTopic: values are then ready before the handler starts.",
  },
  MR_APP_EVENT_UNKNOWN: {
    class: 'SchemaError',
    retriable: false,
    message: ({ what, ...where }: At & { readonly what: string }) =>
      `${at(where)} ${what}, for which the consumer has no handler`,
    hint: 'Add a handler for it to `on`, or `otherwise` for all that you do not know. It will not fit better next time.',
  },
  MR_APP_WRONG_FORM: {
    class: 'UsageError',
    retriable: false,
    message: ({
      consumer,
      asked,
      form,
    }: {
      readonly consumer: string
      readonly asked: string
      readonly form: string
    }) => `${consumer} asked for this.${asked}, but it runs in the form '${form}'`,
    hint: "this.message belongs to the form 'each', this.messages to mode: 'batch' of defineConsumer.",
  },
  MR_APP_HANDLER_FAILED: {
    class: 'HandlerError',
    retriable: true,
    message: ({
      consumer,
      attempt,
      reason,
      ...where
    }: At & {
      readonly consumer: string
      readonly group: string
      readonly attempt: number
      readonly reason: string
    }) => `${consumer} failed on ${at(where)}, attempt ${attempt}: ${reason}`,
    hint: 'The cause is the error of your handler. The same message comes again after the back-off.',
  },
  MR_APP_HANDLER_TIMEOUT: {
    class: 'HandlerError',
    retriable: true,
    message: ({
      consumer,
      timeoutMs,
      ...where
    }: At & { readonly consumer: string; readonly timeoutMs: number }) =>
      `${consumer} took longer than ${timeoutMs} ms for ${at(where)}`,
    hint: 'Pass ctx.signal to what the handler waits for, or raise `timeout` of the consumer.',
  },
  MR_APP_RETRY_ASKED: {
    class: 'HandlerError',
    retriable: true,
    message: ({ consumer, ...where }: At & { readonly consumer: string }) =>
      `${consumer} asked to see ${at(where)} again`,
    hint: 'Returned by the handler as retry(); nothing is wrong with the worker.',
  },
  MR_APP_DEAD_LETTER_ASKED: {
    class: 'HandlerError',
    retriable: false,
    message: ({ reason, ...where }: At & { readonly reason: string }) =>
      `the handler gave ${at(where)} up: ${reason}`,
    hint: 'Returned by the handler as deadLetter(reason).',
  },
  MR_APP_STOP_ASKED: {
    class: 'HandlerError',
    retriable: false,
    message: ({ reason, ...where }: At & { readonly reason: string }) =>
      `the handler stopped the worker at ${at(where)}: ${reason}`,
    hint: 'Returned by the handler as stop(reason). The message comes again after the next start.',
  },
  MR_APP_DEAD_LETTER_UNDECLARED: {
    class: 'UsageError',
    retriable: false,
    message: ({ consumer, ...where }: At & { readonly consumer: string }) =>
      `${consumer} sends ${at(where)} to a dead letter topic, but declares none`,
    hint: 'Add `deadLetter: true` to the consumer.',
  },
  MR_APP_FAILED_FOREIGN: {
    class: 'UsageError',
    retriable: false,
    message: ({ consumer }: { readonly consumer: string }) =>
      `${consumer} returned failed() with messages that are not in its batch`,
    hint: 'Name messages of the batch at hand; the batch counts as failed as a whole.',
  },
  MR_APP_THREAD_ENDED: {
    class: 'HandlerError',
    retriable: true,
    message: ({ consumer, reason }: { readonly consumer: string; readonly reason: string }) =>
      `the thread of ${consumer} ended in the middle of a call: ${reason}`,
    hint: 'The attempt has failed; the next one gets a new thread. In a loop that never waits, look at ctx.aborted and ctx.stopping.',
  },
  MR_APP_THREAD_MEMORY: {
    class: 'HandlerError',
    retriable: false,
    message: ({
      consumer,
      memoryMiB,
    }: {
      readonly consumer: string
      readonly memoryMiB?: number | undefined
    }) =>
      `a thread of ${consumer} ran out of memory${memoryMiB === undefined ? '' : ` at ${memoryMiB} MiB`}`,
    hint: 'The worker stops: another attempt would fare no better. Raise `threadMemory`, or work on the value in parts.',
  },
  MR_APP_THREAD_MODULE: {
    class: 'UsageError',
    retriable: false,
    message: ({
      consumer,
      module,
      reason,
    }: {
      readonly consumer: string
      readonly module: string
      readonly reason: string
    }) => `the handler module of ${consumer}, ${module}, cannot be used: ${reason}`,
    hint: 'Its default export is defineThreadHandler({ topic, each }) with the topic of the consumer; `batch` there is mode: batch here.',
  },
  MR_APP_MIDDLEWARE_SILENT: {
    class: 'UsageError',
    retriable: false,
    message: ({ name }: { readonly name: string }) =>
      `the middleware ${name} neither called next() nor returned an outcome`,
    hint: 'Return next(), or skip(reason) when the message is done without the handler.',
  },
  MR_APP_HOOK_FAILED: {
    class: 'HandlerError',
    retriable: false,
    message: ({
      hook,
      consumer,
      topic,
      partition,
      reason,
    }: {
      readonly hook: string
      readonly consumer: string
      readonly topic: string
      readonly partition: number
      readonly reason: string
    }) => `the hook ${hook} of ${consumer} failed on ${topic}/${partition}: ${reason}`,
    hint: 'The cause is the error of your hook. Only `assigned` stops its partition; the others are reported alone.',
  },
  MR_APP_REWIND_LANES: {
    class: 'UsageError',
    retriable: false,
    message: ({ offset }: { readonly offset: number }) =>
      `cannot rewind to ${offset}: with concurrency above 1 each mark covers its message alone`,
    hint: 'Use seek() to go back, or concurrency 1.',
  },
  MR_APP_METADATA_TOO_LONG: {
    class: 'UsageError',
    retriable: false,
    message: ({ bytes, limit }: { readonly bytes: number; readonly limit: number }) =>
      `metadata of ${bytes} bytes cannot go into a commit, which takes ${limit}`,
    hint: 'Keep a reference there and the rest in a database.',
  },
  MR_APP_SEEK_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ to }: { readonly to: string }) => `cannot seek to ${to}`,
    hint: "Seek to an offset, a Date, an age such as '-1h', 'earliest' or 'latest'.",
  },
  MR_APP_NO_CONFIG: {
    class: 'UsageError',
    retriable: false,
    message: (_context: Readonly<Record<string, unknown>>) =>
      'there is no producer in this process yet',
    hint: 'Import the boot file (defineConfig), or call openProducer or startWorker first.',
  },
  MR_PRODUCER_QUEUE_FULL: {
    class: 'UsageError',
    retriable: true,
    message: ({ topic, limit }: { readonly topic: string; readonly limit: number }) =>
      `a message for ${topic} found its queue full at ${limit} messages`,
    hint: 'The broker is away or too slow, or a buffer was not delivered. Use send(), which waits, or raise producer.queueLimit.',
  },
  MR_PRODUCER_UNDELIVERED: {
    class: 'ConnectionError',
    retriable: true,
    message: ({
      undelivered,
      reason,
    }: {
      readonly undelivered: readonly unknown[]
      readonly reason: string
    }) =>
      `${undelivered.length} ${undelivered.length === 1 ? 'message was' : 'messages were'} not delivered: ${reason}`,
    hint: 'They are in context.undelivered and still in the buffer: call deliver() again.',
  },
  MR_PRODUCER_NEVER_DELIVERED: {
    class: 'UsageError',
    retriable: false,
    message: ({ messages }: { readonly messages: number }) =>
      `the producer was closed with a buffer of ${messages} that nobody delivered`,
    hint: 'Await buffer.deliver() before close(). Each of the messages is reported as undelivered.',
  },
  MR_PRODUCER_KEY_MISSING: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic }: { readonly topic: string }) =>
      `a tombstone for ${topic} needs a key, and so does every message of a compacted topic`,
    hint: 'A tombstone says that its key is gone, and compaction keeps the latest message of each key: give one.',
  },
  MR_RESPONDER_MISSING: {
    class: 'UsageError',
    retriable: false,
    message: ({ consumer }: { readonly consumer: string }) =>
      `${consumer} responds, but has no responder`,
    hint: 'Name it with `responder` in defineConsumer, or list UsersResponder among `responders` of the app for UsersConsumer.',
  },
  MR_RESPONDER_TOPIC_UNDECLARED: {
    class: 'UsageError',
    retriable: false,
    message: ({ responder, topic }: { readonly responder: string; readonly topic: string }) =>
      `${responder} responds to ${topic}, which it does not declare; nothing was sent`,
    hint: 'Add the topic to `topics` of the responder.',
  },
  MR_RESPONDER_TOPIC_UNUSED: {
    class: 'UsageError',
    retriable: false,
    message: ({ responder, topic }: { readonly responder: string; readonly topic: string }) =>
      `${responder} must respond to ${topic} and did not; nothing was sent`,
    hint: 'Respond to it, or declare it with `required: false`.',
  },
  MR_RESPONDER_OPTIONS_REFUSED: {
    class: 'UsageError',
    retriable: false,
    message: ({
      responder,
      topic,
      issues,
    }: {
      readonly responder: string
      readonly topic: string
      readonly issues: readonly string[]
    }) => `${responder} may not send this to ${topic}: ${issues.join('; ')}; nothing was sent`,
    hint: 'The `options` schema of the topic says what each message must carry, such as a key.',
  },
  MR_MONITOR_EVENT_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ name, near }: { readonly name: string; readonly near?: string | undefined }) =>
      `there is no event ${name}${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: 'monitor.names lists every event.',
  },
  MR_WORKER_FORCED_STOP: {
    class: 'TimeoutError',
    retriable: false,
    message: ({ running }: { readonly running: readonly string[] }) =>
      `forced stop; still running: ${running.length === 0 ? 'nothing' : running.join(', ')}`,
    hint: 'Pass ctx.signal to what the handler waits for, or raise worker.shutdownTimeout. The messages come again.',
  },
  MR_WORKER_UNHANDLED: {
    class: 'HandlerError',
    retriable: false,
    message: ({ where, reason }: { readonly where: string; readonly reason: string }) =>
      `an error that nobody waited for, ${where}: ${reason}`,
    hint: 'Await or return every promise of the handler. The worker stops, since its state is unknown.',
  },
} as const satisfies ErrorRows
