/**
 * OffsetDelete (key 47, KIP-496): forgets committed offsets. Of topics that a member subscribes to they stay
 * (86); a group that is no consumer group must be empty (68). Unknown group 69, unknown partition 3.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

export const offsetDeleteHandler = defineHandler(
  apis.offsetDelete,
  { versions: [0, 0] },
  async (request, { broker }) => {
    const asked = request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
    )
    const codes = await broker.groups.deleteOffsets(request.groupId, asked)
    if (typeof codes === 'number') return { errorCode: codes }
    let at = 0
    return {
      topics: request.topics.map(({ name, partitions }) => {
        const known = broker.topics.named(name)?.partitions ?? 0
        return {
          name,
          partitions: partitions.map(({ partitionIndex }) => {
            const code = codes[at++] ?? errorCodes.NONE
            const isKnown = partitionIndex >= 0 && partitionIndex < known
            return {
              partitionIndex,
              errorCode:
                code === errorCodes.NONE && !isKnown ? errorCodes.UNKNOWN_TOPIC_OR_PARTITION : code,
            }
          }),
        }
      }),
    }
  },
)
