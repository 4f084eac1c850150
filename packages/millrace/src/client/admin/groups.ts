import { MillraceError } from '../../errors/index.ts'
import { apis, consumerAssignment, errorCodes, type ResponseOf } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { retrying } from '../retrying.ts'
import { askByNode, askEach, type AdminOptions, type Answer } from './ask-each.ts'
import { coordinatorsOf, refusalOfGroup } from './coordinator.ts'

export interface ListedGroup {
  readonly groupId: string
  /** `consumer` for groups of consumers. */
  readonly protocolType: string
  /** `Stable`, `Empty`, ...; empty when the broker is too old to say (below 2.6). */
  readonly state: string
  /** `classic` or `consumer` (KIP-848); empty when the broker is too old to say. */
  readonly type: string
}

export interface DescribedMember {
  readonly memberId: string
  /** Set for static members (KIP-345). */
  readonly instanceId: string | null
  readonly clientId: string
  readonly host: string
  /** What it holds, by topic and partition; empty for groups that are not of consumers. */
  readonly assignment: readonly { readonly topic: string; readonly partition: number }[]
}

export interface DescribedGroup {
  readonly groupId: string
  /** Kafka's word: Stable, Empty, PreparingRebalance, CompletingRebalance, Dead. */
  readonly state: string
  readonly protocolType: string
  /** The assignor in use; empty without members. */
  readonly protocol: string
  readonly members: readonly DescribedMember[]
  readonly error?: MillraceError
}

export interface GroupResult {
  readonly groupId: string
  readonly error?: MillraceError
}

/** Every group of every broker, by id. */
export async function listGroups(
  core: ClientCore,
  { timeoutMs = core.apiTimeoutMs, signal }: AdminOptions,
): Promise<readonly ListedGroup[]> {
  const { clock, connections, metadata } = core
  const what = 'list groups'
  return retrying({ what, clock, timeoutMs, signal }, async (ending) => {
    await metadata.refresh([], { signal: ending, reason: 'groups are listed' })
    const answers = await Promise.all(
      metadata.brokers.map(async ({ nodeId }) => {
        const connection = await connections.connect(nodeId, 'data', { signal: ending })
        return connection.request(apis.listGroups, {}, { signal: ending })
      }),
    )
    // While a coordinator moves, two brokers may both name a group.
    const byId = new Map<string, ListedGroup>()
    for (const { errorCode, groups } of answers) {
      if (errorCode !== 0) throw kafkaFailure(what, errorCode)
      for (const { groupId, protocolType, groupState, groupType } of groups)
        byId.set(groupId, { groupId, protocolType, state: groupState, type: groupType })
    }
    return [...byId.values()].toSorted((left, right) => (left.groupId < right.groupId ? -1 : 1))
  })
}

/** State and members of groups; one result each. A group that is not there has GROUP_ID_NOT_FOUND as its error, at every version. */
export async function describeGroups(
  core: ClientCore,
  groupIds: readonly string[],
  options: AdminOptions,
): Promise<readonly DescribedGroup[]> {
  const ask = async (node: number, part: readonly string[], signal: AbortSignal) => {
    const connection = await core.connections.connect(node, 'data', { signal })
    const answer = await connection.request(apis.describeGroups, { groups: part }, { signal })
    const byId = new Map(answer.groups.map((group) => [group.groupId, group]))
    return part.map((groupId): Answer<DescribedGroup> => {
      const group = byId.get(groupId)
      const code = codeOfGroup(group)
      if (!group || code !== 0)
        return refusalOfGroup(core, `describe group ${groupId}`, groupId, code, group?.errorMessage)
      return { result: toDescribedGroup(group) }
    })
  }
  const outcomes = await askEach(core, 'describe groups', groupIds, options, async (open, signal) =>
    askByNode(
      open,
      await coordinatorsOf(core, open, signal),
      (node, part) => ask(node, part, signal),
      (part) => part.forEach((groupId) => core.metadata.forgetCoordinator(groupId)),
    ),
  )
  return groupIds.map((groupId, index) => {
    const { result, error } = outcomes[index]!
    return result ?? notDescribed(groupId, error)
  })
}

function notDescribed(groupId: string, error: MillraceError): DescribedGroup {
  return { groupId, state: 'Dead', protocolType: '', protocol: '', members: [], error }
}

type GroupRow = ResponseOf<typeof apis.describeGroups>['groups'][number]

/** Below v6 an unknown group is one that is dead; from v6 it has a code of its own (KIP-1043). */
function codeOfGroup(group: GroupRow | undefined): number {
  if (!group) return errorCodes.UNKNOWN_SERVER_ERROR
  if (group.errorCode === 0 && group.groupState === 'Dead') return errorCodes.GROUP_ID_NOT_FOUND
  return group.errorCode
}

function toDescribedGroup(group: GroupRow): DescribedGroup {
  let error: MillraceError | undefined
  const assignmentOf = (bytes: Buffer): DescribedMember['assignment'] => {
    if (group.protocolType !== 'consumer' || bytes.length === 0) return []
    try {
      return consumerAssignment
        .decode(bytes)
        .assignedPartitions.flatMap(({ topic, partitions }) =>
          partitions.map((partition) => ({ topic, partition })),
        )
    } catch (fault) {
      // One member's bytes that nobody can read shall not hide the others.
      if (!(fault instanceof MillraceError)) throw fault
      error = fault
      return []
    }
  }
  const members = group.members.map((member) => ({
    memberId: member.memberId,
    instanceId: member.groupInstanceId,
    clientId: member.clientId,
    // Kafka writes the address as Java prints it: /127.0.0.1
    host: member.clientHost.replace(/^\//, ''),
    assignment: assignmentOf(member.memberAssignment),
  }))
  return {
    groupId: group.groupId,
    state: group.groupState,
    protocolType: group.protocolType,
    protocol: group.protocolData,
    members,
    ...(error ? { error } : {}),
  }
}

/** Deletes groups with their committed offsets; one result each. A group with members is NON_EMPTY_GROUP. */
export async function deleteGroups(
  core: ClientCore,
  groupIds: readonly string[],
  options: AdminOptions,
): Promise<readonly GroupResult[]> {
  const ask = async (node: number, part: readonly string[], signal: AbortSignal) => {
    const connection = await core.connections.connect(node, 'data', { signal })
    const answer = await connection.request(apis.deleteGroups, { groupsNames: part }, { signal })
    const codes = new Map(answer.results.map(({ groupId, errorCode }) => [groupId, errorCode]))
    return part.map((groupId): Answer<string> => {
      const code = codes.get(groupId) ?? errorCodes.UNKNOWN_SERVER_ERROR
      if (code === 0) return { result: groupId }
      return refusalOfGroup(core, `delete group ${groupId}`, groupId, code)
    })
  }
  const outcomes = await askEach(core, 'delete groups', groupIds, options, async (open, signal) =>
    askByNode(
      open,
      await coordinatorsOf(core, open, signal),
      (node, part) => ask(node, part, signal),
      (part) => part.forEach((groupId) => core.metadata.forgetCoordinator(groupId)),
    ),
  )
  return groupIds.map((groupId, index) => {
    const error = outcomes[index]?.error
    return error ? { groupId, error } : { groupId }
  })
}
