import type { ErrorRows } from '../row.ts'

export const testingErrors = {
  MR_TEST_TIMEOUT: {
    class: 'TimeoutError',
    retriable: false,
    message: ({
      what,
      timeoutMs,
      seen,
      faults,
    }: {
      readonly what: string
      readonly timeoutMs: number
      readonly seen: string
      readonly faults: string
    }) =>
      `${what} did not come within ${timeoutMs} ms; last seen: ${seen || 'nothing'}${faults === '' ? '' : `; faults: ${faults}`}`,
    hint: 'Look at the last requests: the code under test waits for something else, or has stopped.',
  },
  MR_TEST_NOT_SETTLED: {
    class: 'TimeoutError',
    retriable: false,
    message: ({ open }: { readonly open: readonly string[] }) =>
      `the app has not settled:\n${open.map((line) => `  ${line}`).join('\n')}`,
    hint: 'Each line is a partition with messages that are not committed: a handler waits, retries, or does not mark.',
  },
  MR_TEST_FAULT_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({
      what,
      name,
      near,
    }: {
      readonly what: string
      readonly name: string
      readonly near: string | undefined
    }) => `there is no ${what} for ${name}${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: "APIs are named as in `fail('offsetCommit', ...)`, errors as in Kafka's list; without an answer of its own an API can be delayed or closed.",
  },
  MR_TEST_EMBEDDED_ONLY: {
    class: 'UsageError',
    retriable: false,
    message: ({ what }: { readonly what: string }) =>
      `${what} is possible with the embedded broker only, and this test runs on another cluster`,
    hint: "Leave this test out where `app.engine` is 'kafka'.",
  },
  MR_TEST_NO_KAFKA: {
    class: 'ConfigError',
    retriable: false,
    message: () => `engine 'kafka' needs KAFKA_URL, which is not set`,
    hint: 'Set KAFKA_URL=host:port, give `brokers`, or leave `engine` out for the embedded broker.',
  },
  MR_TEST_INVARIANT_BROKEN: {
    class: 'UsageError',
    retriable: false,
    message: ({ violations }: { readonly violations: readonly string[] }) =>
      `what Millrace promises did not hold:\n${violations.map((line) => `  ${line}`).join('\n')}`,
    hint: 'Each line names the promise and the message. Where your code did not ask for it, it is a fault of Millrace: please report it with the line.',
  },
  MR_TEST_DELIVERED_TWICE: {
    class: 'UsageError',
    retriable: false,
    message: ({ at, difference }: { readonly at: string; readonly difference: string }) =>
      `delivering ${at} a second time made a difference: ${difference}`,
    hint: 'Delivery is at least once. Make the handler idempotent: an upsert, a unique key, or the inbox.',
  },
} as const satisfies ErrorRows
