/** DeleteAcls (key 31): 54 for each filter, as on an Apache Kafka without an authorizer. */
import { apis } from '../../protocol/index.ts'
import { noAuthorizer } from './29-describe-acls.ts'
import { defineHandler } from './define-handler.ts'

export const deleteAclsHandler = defineHandler(
  apis.deleteAcls,
  { versions: [1, 3] },
  ({ filters }) => ({ filterResults: filters.map(() => noAuthorizer) }),
)
