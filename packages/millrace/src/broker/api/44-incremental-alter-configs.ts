/**
 * IncrementalAlterConfigs (key 44, KIP-339): sets, deletes, appends to or subtracts from single configs of
 * topics, all of a resource's changes or none. One result per resource; a resource named twice is 42.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { alterConfigs, changedConfigs } from '../topics/alter-configs.ts'
import { defineHandler } from './define-handler.ts'

export const incrementalAlterConfigsHandler = defineHandler(
  apis.incrementalAlterConfigs,
  { versions: [0, 1] },
  async (request, { broker }) => {
    const counts = new Map<string, number>()
    const keyOf = (type: number, name: string): string => `${type}/${name}`
    for (const { resourceType, resourceName } of request.resources) {
      const key = keyOf(resourceType, resourceName)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const responses = []
    for (const resource of request.resources) {
      const { resourceType, resourceName, configs } = resource
      const isRepeated = (counts.get(keyOf(resourceType, resourceName)) ?? 0) > 1
      const fault = isRepeated
        ? { errorCode: errorCodes.INVALID_REQUEST, errorMessage: 'the resource is named twice' }
        : await alterConfigs(broker.topics, resource, request.validateOnly, (now) =>
            changedConfigs(now, configs),
          )
      responses.push({ resourceType, resourceName, errorMessage: null, ...fault })
    }
    return { responses }
  },
)
