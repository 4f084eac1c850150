import { i16, i32, list, str, uuid } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** DeleteTopics (key 20). By name; from v6 by name or id (KIP-516), in `topics`. */
export const deleteTopics = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexible: 4,
  request: {
    topics: list({ name: str.nullable(6), topicId: uuid }).since(6),
    topicNames: list(str).until(5),
    timeoutMs: i32,
  },
  response: {
    throttleTimeMs: i32,
    responses: list({
      name: str.nullable(6).default(''),
      topicId: uuid.since(6),
      errorCode: i16,
      errorMessage: str.since(5).nullable(5),
    }),
  },
})
