import { i16, i32, i64, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** DeleteRecords (key 21, KIP-107): moves the start of partitions up to an offset; -1 is the high watermark. */
export const deleteRecords = defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexible: 2,
  request: {
    topics: list({
      name: str,
      partitions: list({ partitionIndex: i32, offset: i64 }),
    }),
    timeoutMs: i32,
  },
  response: {
    throttleTimeMs: i32,
    topics: list({
      name: str,
      partitions: list({ partitionIndex: i32, lowWatermark: i64, errorCode: i16 }),
    }),
  },
})
