import { i16, i32, i8, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * FindCoordinator (key 10). v1 says what is looked for: `keyType` 0 a group, 1 a transaction. From
 * v4 one request asks for many keys (KIP-699).
 */
export const findCoordinator = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexible: 3,
  request: {
    key: str.until(3),
    keyType: i8.since(1),
    coordinatorKeys: list(str).since(4),
  },
  response: {
    throttleTimeMs: i32.since(1),
    errorCode: i16.until(3),
    errorMessage: str.since(1).until(3).nullable(1).default(''),
    nodeId: i32.until(3),
    host: str.until(3),
    port: i32.until(3),
    coordinators: list({
      key: str,
      nodeId: i32,
      host: str,
      port: i32,
      errorCode: i16,
      errorMessage: str.nullable(4).default(''),
    }).since(4),
  },
})
