import type { ErrorRows } from '../row.ts'

type At = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const place = ({ topic, partition, offset }: At): string => `${topic}/${partition}@${offset}`

export const failureErrors = {
  MR_APP_MESSAGE_EXPIRED: {
    class: 'HandlerError',
    retriable: false,
    message: ({ ageMs, ...where }: At & { readonly ageMs: number }) =>
      `${place(where)} is ${ageMs} ms old, which is past its expireAfter`,
    hint: "Declared with expireAfter and expired: 'deadLetter'; nothing is wrong with the worker.",
  },
  MR_APP_DEAD_LETTER_OWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic }: { readonly topic: string }) =>
      `the function deadLetter.topic gave ${topic}, the topic that the message comes from`,
    hint: 'A message that fails there would come back for ever. Let the function name another topic.',
  },
  MR_APP_FILTER_ASYNC: {
    class: 'UsageError',
    retriable: false,
    message: ({ consumer }: { readonly consumer: string }) =>
      `the filter of ${consumer} returned a promise; filters are synchronous`,
    hint: 'Decide by the message alone, or return skip(reason) from the handler, which may wait.',
  },
  MR_APP_RETRY_DETACHED: {
    class: 'InternalError',
    retriable: false,
    message: (_context: Readonly<Record<string, unknown>>) =>
      'retry topics with order: key were used before a worker had connected them',
    hint: 'This is a fault in Millrace; please report it.',
  },
  MR_APP_REDRIVE_OPTIONS: {
    class: 'UsageError',
    retriable: false,
    message: ({ reason }: { readonly reason: string }) => `cannot redrive: ${reason}`,
    hint: 'Nothing was sent. Name another topic, or a rate such as 100 messages a second.',
  },
  MR_APP_REDRIVE_STOPPED: {
    class: 'KafkaError',
    retriable: true,
    message: ({
      from,
      partition,
      offset,
      sent,
    }: {
      readonly from: string
      readonly partition: number
      readonly offset: number
      readonly sent: number
    }) =>
      `the redrive of ${from} stopped at ${from}/${partition}@${offset}, after ${sent} messages`,
    hint: 'The cause says why. Start the same job again: it goes on there, and a part of that batch may come twice.',
  },
  MR_CLI_LETTER_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic, at }: { readonly topic: string; readonly at: string }) =>
      `there is no letter ${at} in ${topic}`,
    hint: '`millrace tail TOPIC --from start --exit` shows partition and offset of each, unless retention has taken it.',
  },
} as const satisfies ErrorRows
