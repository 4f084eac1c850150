import { MillraceError } from '../../errors/index.ts'
import { ReplyError } from '../reply.ts'

/** What the cluster or the client refused, as a reply; anything else is a defect and goes on as it is. */
export function refusalOf(error: unknown): unknown {
  return error instanceof MillraceError ? new ReplyError(`ERR ${error.message}`) : error
}

/** Streams commands speak as Redis does: `PROD Local: Unknown topic` is `ERR Local: Unknown topic` here. */
export function withoutDialect(error: unknown): unknown {
  return error instanceof ReplyError && error.message.startsWith('PROD ')
    ? new ReplyError(`ERR ${error.message.slice(5)}`)
    : refusalOf(error)
}
