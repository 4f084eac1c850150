import { defineApi } from '../schema/define-api.ts'
import { i16, i32, i8, list, str } from '../schema/field.ts'

/**
 * ListConfigResources (key 74, KIP-1142). v0 was ListClientMetricsResources and lists those alone; from v1 no
 * types mean all.
 */
export const listConfigResources = defineApi({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexible: 0,
  request: { resourceTypes: list(i8).since(1) },
  response: {
    throttleTimeMs: i32,
    errorCode: i16,
    configResources: list({ resourceName: str, resourceType: i8.since(1).default(16) }),
  },
})
