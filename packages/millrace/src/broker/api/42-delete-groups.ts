/**
 * DeleteGroups (key 42): with their offsets. A group with members stays (68), an unknown one is 69; one whose end
 * could not be written stays too (15, which clients retry).
 */
import { isFailure } from '../../errors/index.ts'
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler, type Call } from './define-handler.ts'

export const deleteGroupsHandler = defineHandler(
  apis.deleteGroups,
  { versions: [0, 2] },
  async (request, call) => {
    const results: { groupId: string; errorCode: number }[] = []
    for (const groupId of request.groupsNames)
      results.push({ groupId, errorCode: await remove(groupId, call) })
    return { results }
  },
)

async function remove(groupId: string, { broker }: Call): Promise<number> {
  try {
    return await broker.groups.delete(groupId)
  } catch (error) {
    if (!isFailure(error)) throw error
    return errorCodes.COORDINATOR_NOT_AVAILABLE
  }
}
