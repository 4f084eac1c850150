import type { Introduction } from './roster.ts'

export interface JoinRequest extends Introduction {
  /** Empty: a newcomer. */
  readonly memberId: string
  /** From JoinGroup v4 on a newcomer is given an id first, and joins with it (KIP-394). */
  readonly needsKnownId: boolean
  /** JoinGroup v9 (KIP-814). */
  readonly canSkipAssignment: boolean
}

export interface MemberClaim {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generationId: number
}

export interface SyncRequest extends MemberClaim {
  /** Null: not said. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** From the leader alone. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}
