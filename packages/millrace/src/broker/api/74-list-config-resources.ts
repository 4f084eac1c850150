/**
 * ListConfigResources (key 74): what can be asked of DescribeConfigs: the topics and the broker. v0 lists
 * client metrics alone, of which there are none; a type that Kafka does not know is 35.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

const topicType = 2
const brokerType = 4
/** Topic, broker, broker logger, client metrics, group. */
const knownTypes: readonly number[] = [topicType, brokerType, 8, 16, 32]

export const listConfigResourcesHandler = defineHandler(
  apis.listConfigResources,
  { versions: [0, 1] },
  ({ resourceTypes }, { version, broker }) => {
    if (version === 0) return {}
    if (resourceTypes.some((type) => !knownTypes.includes(type)))
      return { errorCode: errorCodes.UNSUPPORTED_VERSION }
    const isAsked = (type: number): boolean =>
      resourceTypes.length === 0 || resourceTypes.includes(type)
    const configResources: { resourceName: string; resourceType: number }[] = []
    if (isAsked(topicType)) {
      for (const { name } of broker.topics.all)
        configResources.push({ resourceName: name, resourceType: topicType })
    }
    if (isAsked(brokerType))
      configResources.push({
        resourceName: String(broker.store.nodeId),
        resourceType: brokerType,
      })
    return { configResources }
  },
)
