/**
 * JoinGroup (key 11): into a classic group. The answer waits until the rebalance has gathered everybody;
 * the rules stand in `groups/classic-group.ts`.
 *
 * - v0 has no rebalance timeout: the session's is taken. v4: a newcomer is given an id first (79, KIP-394).
 *   v5 static members (KIP-345). v7 protocol type. v9 a returning static leader is told not to assign (KIP-814).
 */
import { apis } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

export const joinGroupHandler = defineHandler(
  apis.joinGroup,
  { versions: [0, 9] },
  async (request, { broker, clientId, peer, version }) => {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = request
    const joined = broker.groups.join(request.groupId, {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      clientId,
      clientHost: peer.host,
      peerId: peer.id,
      sessionTimeoutMs,
      rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
      protocolType: request.protocolType,
      // The request's bytes are views of the read chunk, and these stay for as long as the member.
      protocols: request.protocols.map(({ name, metadata }) => ({
        name,
        metadata: Buffer.from(metadata),
      })),
      needsKnownId: version >= 4,
      canSkipAssignment: version >= 9,
    })
    broker.groups.seen(request.groupId, request.memberId, peer)
    const answer = await joined
    broker.groups.seen(request.groupId, answer.memberId, peer)
    // Before v7 there is no null on the wire.
    return version >= 7 ? answer : { ...answer, protocolName: answer.protocolName ?? '' }
  },
)
