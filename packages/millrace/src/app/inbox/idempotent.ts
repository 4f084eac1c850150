import { systemClock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Message } from '../message/message.ts'
import type { Call, Job } from '../middleware/middleware.ts'
import { outcomeOf, type Outcome } from '../outcome.ts'
import type { Inbox } from './inbox.ts'
import { pruneEveryMs } from './options.ts'
import { isKept, sortMessages } from './policy.ts'

/** Whose messages they are. */
export interface InboxPlace {
  readonly group: string
  readonly groupId: string
  readonly consumer: string
}

/** What is needed of a job's context besides what handlers see. */
interface JobContext {
  tx: unknown
  readonly pendingSends: Promise<unknown> | undefined
  readonly abortedBy: 'stop' | 'timeout' | undefined
  readonly mark: (message: Message) => boolean
  readonly givenUp: readonly number[] | undefined
}

/** Ends a transaction by rolling it back, without being an error. */
class NotKept extends Error {
  readonly returned: unknown

  constructor(returned: unknown) {
    super('the transaction is not kept')
    this.returned = returned
  }
}

/**
 * A handler inside the inbox's transaction. First the messages are remembered; those that were known are finished without
 * the handler. What the handler sent is acknowledged before the commit: afterwards nobody would send it again.
 */
export function idempotent(inbox: Inbox, place: InboxPlace, handler: Call): Call {
  const prune = pruning(inbox)
  return async (job) => {
    const context = job.context as unknown as JobContext
    const ids = job.messages.map((message) => inbox.idOf(message))
    const finished: Message[] = []
    try {
      return await inbox.transaction(async (tx) => {
        const fresh = await inbox.remember(tx, place.groupId, ids)
        const { open, known, twins } = sortMessages(job.messages, ids, fresh)
        finished.push(...twins)
        for (const message of known) tell(place, message, inbox)
        if (open.length === 0) return undefined
        // Finished whatever becomes of the rest.
        for (const message of known) context.mark(message)
        context.tx = tx
        const returned = await handler({ ...job, messages: open } satisfies Job)
        const sends = context.pendingSends
        if (sends !== undefined) await sends
        const outcome = outcomeOf(returned)
        if (context.abortedBy === 'timeout' || !isKept(outcome, open.length))
          throw new NotKept(returned)
        const offsets = [...failedOffsets(outcome), ...(context.givenUp ?? [])]
        if (offsets.length > 0) await forget(inbox, tx, place, job.messages, offsets)
        return returned
      })
    } catch (error) {
      finished.length = 0
      if (error instanceof NotKept) return error.returned
      throw error
    } finally {
      context.tx = undefined
      for (const message of finished) tell(place, message, inbox)
      prune()
    }
  }
}

function failedOffsets(outcome: Outcome | undefined): readonly number[] {
  return outcome?.kind === 'failed' ? outcome.failures.map(({ message }) => message.offset) : []
}

/** What comes again, now or from the dead letters, must be handled then. */
async function forget(
  inbox: Inbox,
  tx: unknown,
  place: InboxPlace,
  messages: readonly Message[],
  offsets: readonly number[],
): Promise<void> {
  const ids = messages.flatMap((one) => (offsets.includes(one.offset) ? [inbox.idOf(one)] : []))
  await inbox.forget(tx, place.groupId, ids)
}

function tell(place: InboxPlace, message: Message, inbox: Inbox): void {
  if (!events.consumerDuplicate.isHeard) return
  const { topic, partition, offset } = message
  events.consumerDuplicate.publish({ ...place, topic, partition, offset, id: inbox.idOf(message) })
}

/** Deletes old rows now and then, beside the handlers. */
function pruning(inbox: Inbox): () => void {
  let dueMs = 0
  return () => {
    const now = systemClock.monotonicMs()
    if (now < dueMs) return
    dueMs = now + pruneEveryMs
    inbox.prune().catch((error: unknown) => events.error.publish({ type: 'inbox', error }))
  }
}
