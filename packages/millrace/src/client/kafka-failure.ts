import { failure, MillraceError } from '../errors/index.ts'
import { kafkaErrorOf } from '../protocol/index.ts'

/**
 * The error for a code in an answer, with Kafka's own retriable flag.
 * @param what - what was asked, with its coordinates: `produce to orders/3`
 * @param detail - the broker's own words, when it gave some; default: the table's
 */
export function kafkaFailure(
  what: string,
  errorCode: number,
  detail?: string | null,
): MillraceError {
  const { name, retriable, message } = kafkaErrorOf(errorCode)
  return failure('MR_KAFKA_ERROR', {
    what,
    name,
    errorCode,
    detail: detail ?? message,
    retriable,
  })
}

/** May the same call succeed later? Errors that are not ours never count as such. */
export function isRetriable(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.retriable
}

/** Kafka's code inside an error of `kafkaFailure`, or undefined. */
export function kafkaCodeOf(error: unknown): number | undefined {
  if (!(error instanceof MillraceError) || error.code !== 'MR_KAFKA_ERROR') return undefined
  return error.context['errorCode'] as number
}
