import { defineApi } from '../schema/define-api.ts'
import { i16, i32, i8, list, str } from '../schema/field.ts'

/** DeleteAcls (key 31). A null in a filter matches everything. */
export const deleteAcls = defineApi({
  key: 31,
  name: 'DeleteAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    filters: list({
      resourceTypeFilter: i8,
      resourceNameFilter: str.nullable().default(''),
      patternTypeFilter: i8.default(3),
      principalFilter: str.nullable().default(''),
      hostFilter: str.nullable().default(''),
      operation: i8,
      permissionType: i8,
    }),
  },
  response: {
    throttleTimeMs: i32,
    filterResults: list({
      errorCode: i16,
      errorMessage: str.nullable().default(''),
      matchingAcls: list({
        errorCode: i16,
        errorMessage: str.nullable().default(''),
        resourceType: i8,
        resourceName: str,
        patternType: i8.default(3),
        principal: str,
        host: str,
        operation: i8,
        permissionType: i8,
      }),
    }),
  },
})
