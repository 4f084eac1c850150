/**
 * ListGroups (key 16). v4 filters by state (KIP-518), v5 by type (KIP-848); case does not matter, an empty
 * filter is none. All groups here are classic.
 */
import { apis } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

const groupType = 'classic'

export const listGroupsHandler = defineHandler(
  apis.listGroups,
  { versions: [0, 5] },
  (request, { broker }) => {
    const states = lowered(request.statesFilter)
    const types = lowered(request.typesFilter)
    if (types.size > 0 && !types.has(groupType)) return { groups: [] }
    const groups = Array.from(broker.groups.all.values(), ({ group }) => ({
      groupId: group.id,
      protocolType: group.protocolType ?? '',
      groupState: group.state,
      groupType,
    }))
    return {
      groups: groups.filter(
        ({ groupState }) => states.size === 0 || states.has(groupState.toLowerCase()),
      ),
    }
  },
)

function lowered(words: readonly string[]): ReadonlySet<string> {
  return new Set(words.map((word) => word.toLowerCase()))
}
