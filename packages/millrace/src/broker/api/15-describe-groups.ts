/**
 * DescribeGroups (key 15), classic groups. A group that is not there is `Dead`, without error below v6, with
 * 69 and a text from v6 on. v3 authorized operations are left unknown: there is no authorizer.
 */
import { apis, errorCodes, type ResponseInput } from '../../protocol/index.ts'
import type { ClassicGroup } from '../groups/classic-group.ts'
import { metadataFor } from '../groups/group-member.ts'
import { defineHandler } from './define-handler.ts'

type GroupRow = NonNullable<ResponseInput<typeof apis.describeGroups>['groups']>[number]

export const describeGroupsHandler = defineHandler(
  apis.describeGroups,
  { versions: [0, 6] },
  (request, { broker, version }) => ({
    groups: request.groups.map((groupId): GroupRow => {
      const entry = broker.groups.find(groupId)
      if (entry !== undefined) return describe(entry.group)
      if (version < 6) return { groupId, groupState: 'Dead' }
      return {
        groupId,
        groupState: 'Dead',
        errorCode: errorCodes.GROUP_ID_NOT_FOUND,
        errorMessage: `there is no group ${groupId}`,
      }
    }),
  }),
)

function describe(group: ClassicGroup): GroupRow {
  // Until the leader has assigned, what members hold is in the air, and Kafka does not show it.
  const isStable = group.state === 'Stable'
  return {
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: Array.from(group.members.values(), (member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      ...(isStable
        ? {
            memberMetadata: metadataFor(member, group.protocolName),
            memberAssignment: member.assignment,
          }
        : {}),
    })),
  }
}
