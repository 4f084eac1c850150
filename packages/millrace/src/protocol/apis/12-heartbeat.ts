import { i16, i32, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/** Heartbeat (key 12) of a classic group. v3 static members (KIP-345). */
export const heartbeat = defineApi({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: str,
    generationId: i32,
    memberId: str,
    groupInstanceId: str.since(3).nullable(3),
  },
  response: {
    throttleTimeMs: i32.since(1),
    errorCode: i16,
  },
})
