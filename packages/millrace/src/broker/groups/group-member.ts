import type { Timer } from '../../kit/index.ts'
import type { JoinAnswer, SyncAnswer } from './group-answers.ts'

export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** One member of a classic group. Changed by its group alone. */
export interface GroupMember {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** The connection it was last heard of on; undefined: that has gone. */
  peerId: number | undefined
  /** When that went, by the monotonic clock. */
  goneAtMs: number
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** In its order of preference. */
  protocols: readonly MemberProtocol[]
  assignment: Buffer
  /** Joined for the first time and not yet part of a generation. */
  isNew: boolean
  /** Its JoinGroup waits for the rebalance to complete. */
  awaitingJoin: ((answer: JoinAnswer) => void) | undefined
  /** Its SyncGroup waits for the leader's. */
  awaitingSync: ((answer: SyncAnswer) => void) | undefined
  session: Timer | undefined
}

/** A member in Kafka's GroupMetadataValue. */
export interface SavedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeout: number
  readonly sessionTimeout: number
  readonly subscription: Buffer
  readonly assignment: Buffer
}

/** Same protocols in the same order with the same metadata: a rejoin without news. */
export function hasProtocols(member: GroupMember, protocols: readonly MemberProtocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index]
      return other !== undefined && other.name === name && other.metadata.equals(metadata)
    })
  )
}

export function metadataFor(member: GroupMember, protocolName: string | null): Buffer {
  const protocol = member.protocols.find(({ name }) => name === protocolName)
  return protocol?.metadata ?? Buffer.alloc(0)
}

/** Protocols that every member knows. */
export function commonProtocols(members: Iterable<GroupMember>): ReadonlySet<string> {
  let common: Set<string> | undefined
  for (const { protocols } of members) {
    const names = new Set(protocols.map(({ name }) => name))
    common = common === undefined ? names : common.intersection(names)
  }
  return common ?? new Set()
}

/** Each member votes for the first of its protocols that all know; most votes win, the first voted for on a tie. */
export function chooseProtocol(members: Iterable<GroupMember>): string | null {
  const all = [...members]
  const common = commonProtocols(all)
  const votes = new Map<string, number>()
  for (const { protocols } of all) {
    const vote = protocols.find(({ name }) => common.has(name))
    if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
  }
  let chosen: string | null = null
  for (const [name, count] of votes)
    if (chosen === null || count > (votes.get(chosen) ?? 0)) chosen = name
  return chosen
}
