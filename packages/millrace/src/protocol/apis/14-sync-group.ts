import { bytes, i16, i32, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * SyncGroup (key 14). Only the leader sends assignments. v3 static members (KIP-345), v5 protocol
 * type and name, which the coordinator compares (KIP-559).
 */
export const syncGroup = defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: str,
    generationId: i32,
    memberId: str,
    groupInstanceId: str.since(3).nullable(3),
    protocolType: str.since(5).nullable(5),
    protocolName: str.since(5).nullable(5),
    assignments: list({ memberId: str, assignment: bytes }),
  },
  response: {
    throttleTimeMs: i32.since(1),
    errorCode: i16,
    protocolType: str.since(5).nullable(5),
    protocolName: str.since(5).nullable(5),
    assignment: bytes,
  },
})
