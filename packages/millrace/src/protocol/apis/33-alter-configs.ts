import { bool, i16, i32, i8, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** AlterConfigs (key 33): replaces the whole set of a resource, which is why KIP-339 came after it. */
export const alterConfigs = defineApi({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexible: 2,
  request: {
    resources: list({
      resourceType: i8,
      resourceName: str,
      configs: list({ name: str, value: str.nullable().default('') }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: i32,
    responses: list({
      errorCode: i16,
      errorMessage: str.nullable().default(''),
      resourceType: i8,
      resourceName: str,
    }),
  },
})
