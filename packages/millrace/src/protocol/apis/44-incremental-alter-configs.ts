import { bool, i16, i32, i8, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** IncrementalAlterConfigs (key 44, KIP-339). `configOperation`: 0 set, 1 delete, 2 append, 3 subtract. */
export const incrementalAlterConfigs = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexible: 1,
  request: {
    resources: list({
      resourceType: i8,
      resourceName: str,
      configs: list({ name: str, configOperation: i8, value: str.nullable().default('') }),
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
