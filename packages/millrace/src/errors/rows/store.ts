import type { ErrorRows } from '../row.ts'

export const storeErrors = {
  MR_OUTBOX_TOPIC_UNDECLARED: {
    class: 'UsageError',
    retriable: false,
    message: ({
      outbox,
      topic,
      near,
    }: {
      readonly outbox: string
      readonly topic: string
      readonly near?: string | undefined
    }) =>
      `${outbox} takes no message for ${topic}, which is not among its topics${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: 'Pass the declared topic, or list it in `topics` of sqlOutbox: an unknown one would fail only after the commit.',
  },
  MR_OUTBOX_TOO_LARGE: {
    class: 'UsageError',
    retriable: false,
    message: ({
      topic,
      bytes,
      limit,
    }: {
      readonly topic: string
      readonly bytes: number
      readonly limit: number
    }) =>
      `a message of ${bytes} bytes does not fit ${topic}, which takes ${limit}; nothing is queued`,
    hint: 'Send a reference to the body, or raise max.message.bytes of the topic and maxMessageBytes of the outbox.',
  },
  MR_OUTBOX_SCHEMA_ASYNC: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic }: { readonly topic: string }) =>
      `the schema of ${topic} validates asynchronously, and an SQLite transaction cannot wait for it`,
    hint: 'Validate before the transaction, or give the topic a schema that validates at once.',
  },
  MR_OUTBOX_REFUSED: {
    class: 'UsageError',
    retriable: false,
    message: ({
      outbox,
      id,
      topic,
      reason,
    }: {
      readonly outbox: string
      readonly id: string
      readonly topic: string
      readonly reason: string
    }) => `the row ${id} of ${outbox} for ${topic} was refused for good: ${reason}`,
    hint: 'Later rows of its key wait. Cure the cause, then `millrace outbox retry`, or `millrace outbox drop`.',
  },
  MR_OUTBOX_RELAY_FAILED: {
    class: 'ConnectionError',
    retriable: true,
    message: ({ outbox, reason }: { readonly outbox: string; readonly reason: string }) =>
      `the relay of ${outbox} makes no progress: ${reason}`,
    hint: 'It goes on trying and no row is lost. Check the database and the brokers; the cause says which.',
  },
  MR_OUTBOX_NOT_DECLARED: {
    class: 'UsageError',
    retriable: false,
    message: ({ found, named }: { readonly found: readonly string[]; readonly named?: string }) =>
      found.length === 0
        ? 'the configuration declares no outbox'
        : named === undefined
          ? `the configuration declares several outboxes: ${found.join(', ')}`
          : `the configuration declares no outbox ${named}; there is ${found.join(', ')}`,
    hint: 'List its relay in `runnables` of defineApp; with several, say which with --table.',
  },
  MR_SQL_HANDLE_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ takes, found }: { readonly takes: string; readonly found: string }) =>
      `${takes} is wanted here, and ${found} was given`,
    hint: 'Pass the transaction of your driver; for one that is not known, a function (text, values) => rows.',
  },
  MR_SQL_NAME_INVALID: {
    class: 'UsageError',
    retriable: false,
    message: ({ name }: { readonly name: string }) => `'${name}' cannot be a table or a column`,
    hint: 'Use letters, digits and _, not beginning with a digit; a schema may stand before it, with a dot.',
  },
  MR_SQL_ROLLED_BACK: {
    class: 'UsageError',
    retriable: true,
    message: (_context: Readonly<Record<string, unknown>>) =>
      'the database rolled the transaction back at its commit, since one of its statements had failed',
    hint: 'An error of a statement was caught in between. Let it be thrown, or use a savepoint around that statement.',
  },
  MR_SQL_NESTED: {
    class: 'UsageError',
    retriable: false,
    message: (_context: Readonly<Record<string, unknown>>) =>
      'the SQLite connection is inside a transaction already that did not come from here',
    hint: 'Use transaction() of millrace/sqlite for transactions that wait for something: it lets one in at a time.',
  },
  MR_UPSERT_ROW_INVALID: {
    class: 'UsageError',
    retriable: false,
    message: ({ table, reason }: { readonly table: string; readonly reason: string }) =>
      `a row for ${table} cannot be written: ${reason}`,
    hint: 'Each row needs its key and a version that is a whole number; all rows of a call have the same columns.',
  },
} as const satisfies ErrorRows
