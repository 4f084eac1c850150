import { defineApi } from '../schema/define-api.ts'
import { i16, i32, i8, list, str } from '../schema/field.ts'

/** CreateAcls (key 30). */
export const createAcls = defineApi({
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    creations: list({
      resourceType: i8,
      resourceName: str,
      resourcePatternType: i8.default(3),
      principal: str,
      host: str,
      operation: i8,
      permissionType: i8,
    }),
  },
  response: {
    throttleTimeMs: i32,
    results: list({ errorCode: i16, errorMessage: str.nullable().default('') }),
  },
})
