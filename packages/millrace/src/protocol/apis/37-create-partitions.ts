import { bool, i16, i32, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** CreatePartitions (key 37). `count` is the new total; `assignments` null leaves the choice to the broker. */
export const createPartitions = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexible: 2,
  request: {
    topics: list({
      name: str,
      count: i32,
      assignments: list({ brokerIds: list(i32) })
        .nullable()
        .default([]),
    }),
    timeoutMs: i32,
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: i32,
    results: list({ name: str, errorCode: i16, errorMessage: str.nullable() }),
  },
})
