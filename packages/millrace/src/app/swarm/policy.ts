import { backoffMs } from '../../kit/index.ts'

export interface SwarmRules {
  readonly reportEveryMs: number
  /** How often the parent looks at its children. */
  readonly lookEveryMs: number
  /** A child that reports nothing for so long is killed. */
  readonly silentAfterMs: number
  /** Before an ended child is started again; doubled each time that it did not last. */
  readonly restartAfterMs: number
  /** Resident bytes above which a child is stopped in good order and started again. */
  readonly memoryLimitBytes: number | undefined
  /** So many abrupt ends of processes by one message, and it is set aside. */
  readonly crashLimit: number
  /** The bound of a child's own stop. */
  readonly shutdownTimeoutMs: number
}

/** How much longer than its children the parent waits at a stop. */
export const parentPatienceMs = 15_000
const longestRestartMs = 5 * 60_000
/** A child that ran for so long counts as well again. */
export const lastedAfterMs = 60_000

/** After an abrupt end a child is watched for so long, one handler at a time. */
export const forgivenAfterMs = 5 * 60_000

/** What to do with a child that runs. */
export function judgeChild(
  child: { readonly heardMs: number; readonly memoryBytes: number },
  nowMs: number,
  { silentAfterMs, memoryLimitBytes = Infinity }: SwarmRules,
): 'fine' | 'silent' | 'fat' {
  if (nowMs - child.heardMs > silentAfterMs) return 'silent'
  return child.memoryBytes > memoryLimitBytes ? 'fat' : 'fine'
}

/** @param failures - how often in a row it ended without having lasted, at least 1 */
export function restartDelayMs(failures: number, { restartAfterMs }: SwarmRules): number {
  return backoffMs(
    { firstMs: restartAfterMs, factor: 2, maxMs: longestRestartMs, jitter: 0 },
    failures,
  )
}
