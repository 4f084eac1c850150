/**
 * DescribeAcls (key 29): there is no authorizer, which is 54, as on an Apache Kafka without one. Tools take it
 * for "security is off" and go on; a missing API they take for a broker too old.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

export const noAuthorizer = {
  errorCode: errorCodes.SECURITY_DISABLED,
  errorMessage: 'this broker has no authorizer: whoever reaches it may do everything',
} as const

export const describeAclsHandler = defineHandler(
  apis.describeAcls,
  { versions: [1, 3] },
  () => noAuthorizer,
)
