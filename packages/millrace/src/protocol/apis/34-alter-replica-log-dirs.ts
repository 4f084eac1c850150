import { defineApi } from '../schema/define-api.ts'
import { i16, i32, list, str } from '../schema/field.ts'

/** AlterReplicaLogDirs (key 34, KIP-113). */
export const alterReplicaLogDirs = defineApi({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [1, 2],
  flexible: 2,
  request: {
    dirs: list({ path: str, topics: list({ name: str, partitions: list(i32) }) }),
  },
  response: {
    throttleTimeMs: i32,
    results: list({
      topicName: str,
      partitions: list({ partitionIndex: i32, errorCode: i16 }),
    }),
  },
})
