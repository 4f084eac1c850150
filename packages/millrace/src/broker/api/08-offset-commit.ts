/**
 * OffsetCommit (key 8).
 *
 * - Without member and generation: only while the group is empty (tools, self-assigned consumers), else 25.
 * - Wrong generation 22, during the second half of a rebalance 27; during the first half it is taken, so
 *   that members can commit before they give partitions back. It renews the session.
 * - A group that is not there, with a generation: 22, from v9 on 69.
 * - Per partition: unknown 3, a text above `offsetMetadataMaxBytes` 12. The rest is written in one batch.
 * - v2-4 may carry a retention of their own (KIP-211).
 */
import { apis, errorCodes, type ResponseInput } from '../../protocol/index.ts'
import { isFailure } from '../../errors/index.ts'
import type { OffsetToCommit } from '../groups/group-coordinator.ts'
import { defineHandler } from './define-handler.ts'

type CommitResponse = ResponseInput<typeof apis.offsetCommit>

export const offsetCommitHandler = defineHandler(
  apis.offsetCommit,
  { versions: [2, 9] },
  async (request, { broker, version }): Promise<CommitResponse> => {
    const fault = broker.groups.commitFault(
      request.groupId,
      {
        memberId: request.memberId,
        instanceId: request.groupInstanceId,
        generationId: request.generationIdOrMemberEpoch,
      },
      {
        codeOfUnknown: version >= 9 ? errorCodes.GROUP_ID_NOT_FOUND : errorCodes.ILLEGAL_GENERATION,
      },
    )
    const { offsetMetadataMaxBytes } = broker.settings
    const accepted: OffsetToCommit[] = []
    const codes = request.topics.map(({ name, partitions }) => {
      const partitionsKnown = broker.topics.named(name)?.partitions ?? 0
      return partitions.map((one) => {
        const { partitionIndex, committedMetadata } = one
        if (fault !== errorCodes.NONE) return fault
        if (partitionIndex < 0 || partitionIndex >= partitionsKnown)
          return errorCodes.UNKNOWN_TOPIC_OR_PARTITION
        const metadata = committedMetadata ?? ''
        if (Buffer.byteLength(metadata) > offsetMetadataMaxBytes)
          return errorCodes.OFFSET_METADATA_TOO_LARGE
        accepted.push({
          topic: name,
          partition: partitionIndex,
          offset: one.committedOffset,
          leaderEpoch: one.committedLeaderEpoch,
          metadata,
        })
        return errorCodes.NONE
      })
    })
    const expireTimestamp =
      request.retentionTimeMs < 0 ? -1 : broker.clock.now() + request.retentionTimeMs
    let written: number = errorCodes.NONE
    try {
      if (accepted.length > 0)
        await broker.groups.commit(request.groupId, accepted, expireTimestamp)
    } catch (error) {
      if (!isFailure(error)) throw error
      // Kafka's translation of a failed append of offsets: retriable.
      written = errorCodes.COORDINATOR_NOT_AVAILABLE
    }
    return {
      topics: request.topics.map(({ name, partitions }, at) => ({
        name,
        partitions: partitions.map(({ partitionIndex }, index) => ({
          partitionIndex,
          errorCode: codes[at]?.[index] || written,
        })),
      })),
    }
  },
)
