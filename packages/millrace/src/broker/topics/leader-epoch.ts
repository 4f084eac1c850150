import { errorCodes } from '../../protocol/index.ts'

/**
 * Whether a client's view of the leadership fits (KIP-320). Here an epoch never ends, so a lower one can
 * only come from another cluster's past.
 * @param asked - -1: the client does not say
 */
export function leaderEpochFault(asked: number, current: number): number {
  if (asked === -1 || asked === current) return errorCodes.NONE
  return asked < current ? errorCodes.FENCED_LEADER_EPOCH : errorCodes.UNKNOWN_LEADER_EPOCH
}
