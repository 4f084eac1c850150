import type { Cluster } from '../cluster.ts'

export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skipped'

export interface CheckResult {
  readonly status: CheckStatus
  /** What was found. */
  readonly detail: string
  /** What to do, as a command to paste where there is one. */
  readonly fix?: string
}

export interface CheckContext {
  readonly folder: string
  readonly cluster: () => Promise<Cluster>
}

export interface Check {
  readonly name: string
  readonly about: string
  run(context: CheckContext): Promise<CheckResult>
}

export function worst(results: readonly CheckResult[]): CheckStatus {
  for (const status of ['fail', 'warn'] as const)
    if (results.some((result) => result.status === status)) return status
  return 'ok'
}
