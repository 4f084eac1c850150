/**
 * LeaveGroup (key 13). Up to v2 one member, whose fault is the answer's; from v3 several, each with a
 * fault of its own, static ones also by instance id alone (KIP-345).
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

export const leaveGroupHandler = defineHandler(
  apis.leaveGroup,
  { versions: [0, 5] },
  (request, { broker, version }) => {
    const { groupId } = request
    if (version < 3) {
      return {
        errorCode: broker.groups.leave(groupId, { memberId: request.memberId, instanceId: null }),
      }
    }
    if (groupId === '') return { errorCode: errorCodes.INVALID_GROUP_ID }
    return {
      members: request.members.map(({ memberId, groupInstanceId }) => ({
        memberId,
        groupInstanceId,
        errorCode: broker.groups.leave(groupId, { memberId, instanceId: groupInstanceId }),
      })),
    }
  },
)
