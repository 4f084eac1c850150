import type { ErrorRows } from '../row.ts'

type At = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const at = ({ topic, partition, offset }: At): string => `${topic}/${partition}@${offset}`

export const failureErrors = {
  MR_APP_MESSAGE_EXPIRED: {
    class: 'HandlerError',
    retriable: false,
    message: ({ ageMs, ...where }: At & { readonly ageMs: number }) =>
      `${at(where)} is ${ageMs} ms old, which is past its expireAfter`,
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
} as const satisfies ErrorRows
