import { i16, i32, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** OffsetDelete (key 47, KIP-496): forgets committed offsets of topics that nobody in the group subscribes to. */
export const offsetDelete = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  flexible: null,
  request: {
    groupId: str,
    topics: list({ name: str, partitions: list({ partitionIndex: i32 }) }),
  },
  response: {
    errorCode: i16,
    throttleTimeMs: i32,
    topics: list({
      name: str,
      partitions: list({ partitionIndex: i32, errorCode: i16 }),
    }),
  },
})
