import type { MillraceError } from '../../errors/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { answerOf, lookUpMs, type Answer } from './ask-each.ts'

/** The coordinator of each group, or why it cannot be had now. */
export async function coordinatorsOf(
  core: ClientCore,
  groupIds: readonly string[],
  signal: AbortSignal,
): Promise<readonly (number | Answer<never>)[]> {
  return Promise.all(
    groupIds.map(async (groupId) => {
      try {
        return await core.metadata.coordinatorOf(groupId, { signal, timeoutMs: lookUpMs(core) })
      } catch (error) {
        signal.throwIfAborted()
        return answerOf(error)
      }
    }),
  )
}

/**
 * What a coordinator's code means for a group's item: 14 wait, 15 and 16 look for another, all else is final.
 * Forgets the coordinator where it has moved.
 */
export function refusalOfGroup(
  { metadata }: ClientCore,
  what: string,
  groupId: string,
  errorCode: number,
  detail?: string | null,
): { error: MillraceError; isPassing: boolean } {
  const hasMoved =
    errorCode === errorCodes.COORDINATOR_NOT_AVAILABLE || errorCode === errorCodes.NOT_COORDINATOR
  if (hasMoved) metadata.forgetCoordinator(groupId)
  return {
    error: kafkaFailure(what, errorCode, detail),
    isPassing: hasMoved || errorCode === errorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  }
}
