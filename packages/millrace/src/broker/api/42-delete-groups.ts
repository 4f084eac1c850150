/** DeleteGroups (key 42): with their offsets. A group with members stays (68), an unknown one is 69. */
import { apis } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

export const deleteGroupsHandler = defineHandler(
  apis.deleteGroups,
  { versions: [0, 2] },
  async (request, { broker }) => {
    const results: { groupId: string; errorCode: number }[] = []
    for (const groupId of request.groupsNames)
      results.push({ groupId, errorCode: await broker.groups.delete(groupId) })
    return { results }
  },
)
