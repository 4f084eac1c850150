/**
 * OffsetDelete (key 47, KIP-496): forgets committed offsets. Of topics that a member subscribes to they stay
 * (86); a group that is no consumer group must be empty (68). Unknown group 69, unknown partition 3. When it cannot
 * be written they stay (15, which clients retry).
 */
import { isFailure } from '../../errors/index.ts'
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler, type Call } from './define-handler.ts'

export const offsetDeleteHandler = defineHandler(
  apis.offsetDelete,
  { versions: [0, 0] },
  async (request, call) => {
    const { broker } = call
    const asked = request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
    )
    const codes = await remove(request.groupId, asked, call)
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

async function remove(
  groupId: string,
  asked: readonly { readonly topic: string; readonly partition: number }[],
  { broker }: Call,
): Promise<number | readonly number[]> {
  try {
    return await broker.groups.deleteOffsets(groupId, asked)
  } catch (error) {
    if (!isFailure(error)) throw error
    return errorCodes.COORDINATOR_NOT_AVAILABLE
  }
}
