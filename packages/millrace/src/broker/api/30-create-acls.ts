/** CreateAcls (key 30): 54 for each, as on an Apache Kafka without an authorizer. */
import { apis } from '../../protocol/index.ts'
import { noAuthorizer } from './29-describe-acls.ts'
import { defineHandler } from './define-handler.ts'

export const createAclsHandler = defineHandler(
  apis.createAcls,
  { versions: [1, 3] },
  ({ creations }) => ({ results: creations.map(() => noAuthorizer) }),
)
