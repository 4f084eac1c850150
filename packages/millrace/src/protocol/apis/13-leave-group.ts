import { i16, i32, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * LeaveGroup (key 13). From v3 several members leave in one request, each answered by itself
 * (KIP-345); v5 says why (KIP-800).
 */
export const leaveGroup = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: str,
    memberId: str.until(2),
    members: list({
      memberId: str,
      groupInstanceId: str.nullable(3),
      reason: str.since(5).nullable(5),
    }).since(3),
  },
  response: {
    throttleTimeMs: i32.since(1),
    errorCode: i16,
    members: list({
      memberId: str,
      groupInstanceId: str.nullable(3),
      errorCode: i16,
    }).since(3),
  },
})
