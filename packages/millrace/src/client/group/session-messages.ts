import type { TopicPartition } from './assignors/index.ts'

/** What the leader must spread, as JoinGroup told it. */
export interface JoinedMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** The subscription as it stands on the wire. */
  readonly metadata: Buffer
}

export interface JoinAnswer {
  readonly errorCode: number
  readonly memberId: string
  readonly generation: number
  readonly protocol: string
  readonly leader: string
  /** A static leader that returned: it watches, but assigns nothing (KIP-814). */
  readonly skipsAssignment: boolean
  readonly members: readonly JoinedMember[]
}

/** Why partitions went without being given back. */
export type LossCause =
  | 'generation' // 22: the group went on without us
  | 'member' // 25: the coordinator does not know us
  | 'session' // no answer for longer than the session lasts
  | 'fenced' // 82: another process has our instance id
  | 'failed' // an error that ends the member

export type TimerName = 'heartbeat' | 'session' | 'backoff'

/** What happens to a session. `request` is the number of the action that is answered. */
export type SessionEvent =
  | { readonly on: 'start' }
  | { readonly on: 'joined'; readonly request: number; readonly answer: JoinAnswer }
  | {
      readonly on: 'assigned'
      readonly request: number
      readonly assignments: ReadonlyMap<string, Buffer>
    }
  | {
      readonly on: 'synced'
      readonly request: number
      readonly errorCode: number
      readonly partitions: readonly TopicPartition[]
    }
  | { readonly on: 'heartbeat-answered'; readonly request: number; readonly errorCode: number }
  /** No answer came, or the coordinator could not be found; it may later. */
  | { readonly on: 'unanswered'; readonly request: number }
  /** An answer that no repeat can mend, or an error in our own work. */
  | { readonly on: 'broken'; readonly request: number; readonly error: Error }
  | { readonly on: 'commit-refused'; readonly generation: number; readonly errorCode: number }
  /** The revocation asked for last is through, or its time is over. */
  | { readonly on: 'revoked' }
  | { readonly on: 'timer'; readonly timer: TimerName }
  | { readonly on: 'partitions-changed' }
  | { readonly on: 'subscription-changed' }
  | { readonly on: 'close' }
  | { readonly on: 'left' }

/** What the session wants done. Requests are numbered; answers to older numbers are ignored. */
export type SessionAction =
  | {
      readonly act: 'join'
      readonly request: number
      readonly memberId: string
      readonly owned: readonly TopicPartition[]
      /** In which the ownership was confirmed last; -1: never. */
      readonly ownedGeneration: number
      readonly reason: string
    }
  | { readonly act: 'assign'; readonly request: number; readonly answer: JoinAnswer }
  | {
      readonly act: 'sync'
      readonly request: number
      readonly memberId: string
      readonly generation: number
      readonly protocol: string
      readonly assignments: ReadonlyMap<string, Buffer>
    }
  | {
      readonly act: 'heartbeat'
      readonly request: number
      readonly memberId: string
      readonly generation: number
    }
  | { readonly act: 'leave'; readonly memberId: string }
  /** Give up the connection: a Join or Sync that waits there would hold up everything behind it. */
  | { readonly act: 'hang-up' }
  /** The coordinator has moved or is away. */
  | { readonly act: 'look-up' }
  | { readonly act: 'start-timer'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly act: 'stop-timer'; readonly timer: TimerName }
  /** Tenures begin; those that go on take the new generation. */
  | {
      readonly act: 'take'
      readonly generation: number
      readonly added: readonly TopicPartition[]
      readonly kept: readonly TopicPartition[]
    }
  /** To be awaited: answer with `revoked`. */
  | { readonly act: 'revoke'; readonly partitions: readonly TopicPartition[] }
  /** Tenures have ended; nothing of theirs may be committed. */
  | {
      readonly act: 'lose'
      readonly partitions: readonly TopicPartition[]
      readonly cause: LossCause
    }
  | { readonly act: 'fail'; readonly error: Error }
  | { readonly act: 'closed' }
