import { i16, i32, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** ListGroups (key 16). v4 filters by state (KIP-518), v5 by type (KIP-848); an empty filter is none. */
export const listGroups = defineApi({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexible: 3,
  request: {
    statesFilter: list(str).since(4),
    typesFilter: list(str).since(5),
  },
  response: {
    throttleTimeMs: i32.since(1),
    errorCode: i16,
    groups: list({
      groupId: str,
      protocolType: str,
      groupState: str.since(4),
      groupType: str.since(5),
    }),
  },
})
