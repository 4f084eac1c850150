/**
 * AlterConfigs (key 33): replaces all that a topic sets; what is not named goes back to its default. Clients
 * that know better use key 44. Only topics; one result per resource.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { alterConfigs } from '../topics/alter-configs.ts'
import { defineHandler } from './define-handler.ts'

export const alterConfigsHandler = defineHandler(
  apis.alterConfigs,
  { versions: [0, 2] },
  async (request, { broker }) => {
    const responses = []
    for (const resource of request.resources) {
      const { resourceType, resourceName, configs } = resource
      const fault = await alterConfigs(broker.topics, resource, request.validateOnly, () => {
        const missing = configs.find(({ value }) => value === null)
        if (missing !== undefined)
          return {
            errorCode: errorCodes.INVALID_CONFIG,
            errorMessage: `${missing.name} has no value`,
          }
        return Object.fromEntries(configs.map(({ name, value }) => [name, value ?? '']))
      })
      responses.push({ resourceType, resourceName, errorMessage: null, ...fault })
    }
    return { responses }
  },
)
