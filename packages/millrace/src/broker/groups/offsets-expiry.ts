import { consumerSubscription } from '../../protocol/index.ts'
import { CodecError } from '../../errors/index.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupOffsets } from './group-offsets.ts'
import { metadataFor } from './group-member.ts'

export interface ExpiredOffset {
  readonly topic: string
  readonly partition: number
}

/**
 * The offsets of a group that nobody needs any more (KIP-211, KIP-496):
 *
 * - of a group that never had members (a tool's): `retentionMs` after their commit;
 * - of one whose members have gone: `retentionMs` after they went and after the commit;
 * - of a consumer group at work: those of topics that no member subscribes to, `retentionMs` after their commit.
 *
 * An offset with an expiry of its own (clients before KIP-211) goes by that.
 */
export function expiredOffsets(
  group: ClassicGroup,
  offsets: GroupOffsets,
  times: { readonly nowMs: number; readonly retentionMs: number },
): readonly ExpiredOffset[] {
  const { nowMs, retentionMs } = times
  const isEmpty = group.state === 'Empty'
  const subscribed = isEmpty || group.state === 'Stable' ? subscribedTopics(group) : undefined
  // While a rebalance runs nobody knows who subscribes to what.
  if (subscribed === undefined) return []

  const expired: ExpiredOffset[] = []
  for (const { topic, partition, committed } of offsets.entries()) {
    if (!isEmpty && (subscribed === 'unknown' || subscribed.has(topic))) continue
    const sinceMs =
      isEmpty && group.protocolType !== null
        ? Math.max(group.stateSinceMs, committed.commitTimestamp)
        : committed.commitTimestamp
    const dueMs =
      committed.expireTimestamp === -1 ? sinceMs + retentionMs : committed.expireTimestamp
    if (nowMs >= dueMs) expired.push({ topic, partition })
  }
  return expired
}

/** `unknown` for groups that are no consumers, or write what we cannot read. */
export function subscribedTopics(group: ClassicGroup): ReadonlySet<string> | 'unknown' {
  if (group.state === 'Empty') return new Set()
  if (group.protocolType !== 'consumer') return 'unknown'
  const topics = new Set<string>()
  try {
    for (const member of group.members.values()) {
      const metadata = metadataFor(member, group.protocolName)
      for (const topic of consumerSubscription.decode(metadata).topics) topics.add(topic)
    }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return 'unknown'
  }
  return topics
}
