import { bool, bytes, i16, i32, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * JoinGroup (key 11). v1 rebalance timeout (KIP-62), v4 a first join is answered with a member id to
 * come back with (KIP-394), v5 static members (KIP-345), v7 protocol type in the answer (KIP-559),
 * v8 a reason (KIP-800), v9 tells a returning static leader not to assign (KIP-814).
 */
export const joinGroup = defineApi({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexible: 6,
  request: {
    groupId: str,
    sessionTimeoutMs: i32,
    rebalanceTimeoutMs: i32.since(1).default(-1),
    memberId: str,
    groupInstanceId: str.since(5).nullable(5),
    protocolType: str,
    protocols: list({ name: str, metadata: bytes }),
    reason: str.since(8).nullable(8),
  },
  response: {
    throttleTimeMs: i32.since(2),
    errorCode: i16,
    generationId: i32.default(-1),
    protocolType: str.since(7).nullable(7),
    protocolName: str.nullable(7).default(''),
    leader: str,
    skipAssignment: bool.since(9),
    memberId: str,
    members: list({
      memberId: str,
      groupInstanceId: str.since(5).nullable(5),
      metadata: bytes,
    }),
  },
})
