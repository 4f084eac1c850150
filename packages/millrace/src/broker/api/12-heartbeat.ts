/**
 * Heartbeat (key 12) of a member of a classic group: keeps its session, and tells it of a rebalance (27).
 * v3 static members (KIP-345).
 */
import { apis } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

export const heartbeatHandler = defineHandler(
  apis.heartbeat,
  { versions: [0, 4] },
  (request, { broker, peer }) => {
    const { groupId, memberId } = request
    broker.groups.seen(groupId, memberId, peer)
    return {
      errorCode: broker.groups.heartbeat(groupId, {
        memberId,
        instanceId: request.groupInstanceId,
        generationId: request.generationId,
      }),
    }
  },
)
