import { i16, i32, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** DeleteGroups (key 42). Only groups without members go. */
export const deleteGroups = defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexible: 2,
  request: {
    groupsNames: list(str),
  },
  response: {
    throttleTimeMs: i32,
    results: list({ groupId: str, errorCode: i16 }),
  },
})
