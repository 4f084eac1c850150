/**
 * SyncGroup (key 14): the leader brings the assignments, each member takes its own away. A member's waits
 * for the leader's, and that until it is written.
 *
 * v3 static members (KIP-345); v5 protocol type and name, which must be given and are compared with the
 * group's (23, KIP-559).
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { syncError } from '../groups/group-answers.ts'
import { defineHandler } from './define-handler.ts'

export const syncGroupHandler = defineHandler(
  apis.syncGroup,
  { versions: [0, 5] },
  (request, { broker, peer, version }) => {
    const isUnsaid = request.protocolType === null || request.protocolName === null
    if (version >= 5 && isUnsaid) return syncError(errorCodes.INCONSISTENT_GROUP_PROTOCOL)
    broker.groups.seen(request.groupId, request.memberId, peer)
    return broker.groups.sync(request.groupId, {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generationId: request.generationId,
      protocolType: request.protocolType,
      protocolName: request.protocolName,
      assignments: request.assignments.map(({ memberId, assignment }) => ({
        memberId,
        // A view of the read chunk; it outlives the request.
        assignment: Buffer.from(assignment),
      })),
    })
  },
)
