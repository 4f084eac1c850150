import { defineApi } from '../schema/define-api.ts'
import { i16, i32, i8, list, str } from '../schema/field.ts'

/** DescribeAcls (key 29). A null in the filter matches everything. */
export const describeAcls = defineApi({
  key: 29,
  name: 'DescribeAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    resourceTypeFilter: i8,
    resourceNameFilter: str.nullable().default(''),
    patternTypeFilter: i8.default(3),
    principalFilter: str.nullable().default(''),
    hostFilter: str.nullable().default(''),
    operation: i8,
    permissionType: i8,
  },
  response: {
    throttleTimeMs: i32,
    errorCode: i16,
    errorMessage: str.nullable().default(''),
    resources: list({
      resourceType: i8,
      resourceName: str,
      patternType: i8.default(3),
      acls: list({ principal: str, host: str, operation: i8, permissionType: i8 }),
    }),
  },
})
