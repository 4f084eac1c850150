import { bool, bytes, i16, i32, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * DescribeGroups (key 15), classic groups. An unknown group is in state `Dead`; from v6 it is also
 * an error, with a text. v3 authorized operations (KIP-430), v4 static members (KIP-345).
 */
export const describeGroups = defineApi({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexible: 5,
  request: {
    groups: list(str),
    includeAuthorizedOperations: bool.since(3),
  },
  response: {
    throttleTimeMs: i32.since(1),
    groups: list({
      errorCode: i16,
      errorMessage: str.since(6).nullable(6),
      groupId: str,
      groupState: str,
      protocolType: str,
      protocolData: str,
      members: list({
        memberId: str,
        groupInstanceId: str.since(4).nullable(4),
        clientId: str,
        clientHost: str,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: i32.since(3).default(-0x80000000),
    }),
  },
})
