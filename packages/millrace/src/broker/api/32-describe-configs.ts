/**
 * DescribeConfigs (key 32): of topics every config, of the broker those that clients and tools look for.
 *
 * - `configurationKeys` null or, as some clients mean it, empty: all of them.
 * - v1 sources (1 the topic's own, 5 default, 4 fixed at start) and synonyms (KIP-226), v3 types and texts
 *   (KIP-569).
 * - One result per resource asked for. An unknown topic is 3. Groups and client metrics have none, which is no
 *   fault: `kafka-configs` asks for those of every group. What else can have configs in Kafka (loggers) is 42.
 */
import { apis, errorCodes, type RequestOf, type ResponseInput } from '../../protocol/index.ts'
import {
  describeBrokerConfigs,
  describeTopicConfigs,
  type ConfigRow,
} from '../topics/describe-configs.ts'
import { isTopicName } from '../../storage/index.ts'
import { defineHandler, type Call } from './define-handler.ts'

type Resource = RequestOf<typeof apis.describeConfigs>['resources'][number]
type Result = NonNullable<ResponseInput<typeof apis.describeConfigs>['results']>[number]

const topicResource = 2
const brokerResource = 4
const clientMetricsResource = 16
const groupResource = 32

export const describeConfigsHandler = defineHandler(
  apis.describeConfigs,
  { versions: [1, 4] },
  (request, call) => ({
    results: request.resources.map((resource): Result => {
      const { resourceType, resourceName } = resource
      const found = rowsOf(resource, call)
      if (!Array.isArray(found)) {
        const [errorCode, errorMessage] = found.fault
        return { resourceType, resourceName, errorCode, errorMessage }
      }
      const keys = resource.configurationKeys
      const rows: readonly ConfigRow[] =
        keys === null || keys.length === 0 ? found : found.filter(({ name }) => keys.includes(name))
      return {
        resourceType,
        resourceName,
        errorMessage: null,
        configs: rows.map((row) => ({
          name: row.name,
          value: row.value,
          readOnly: row.isReadOnly,
          configSource: row.source,
          isSensitive: false,
          synonyms: request.includeSynonyms ? row.synonyms : [],
          configType: row.typeId,
          documentation: request.includeDocumentation ? row.about : null,
        })),
      }
    }),
  }),
)

function rowsOf(
  { resourceType, resourceName }: Resource,
  { broker, peer }: Call,
): ConfigRow[] | { readonly fault: readonly [code: number, message: string] } {
  switch (resourceType) {
    case topicResource: {
      const topic = broker.topics.named(resourceName)
      if (topic !== undefined) return describeTopicConfigs(topic.configs)
      const code = isTopicName(resourceName)
        ? errorCodes.UNKNOWN_TOPIC_OR_PARTITION
        : errorCodes.INVALID_TOPIC_EXCEPTION
      return { fault: [code, `there is no topic ${resourceName}`] }
    }
    case brokerResource: {
      const { nodeId } = broker.store
      if (resourceName !== '' && resourceName !== String(nodeId))
        return { fault: [errorCodes.INVALID_REQUEST, `this is broker ${nodeId}`] }
      // No name: the dynamic defaults of the cluster, of which there are none.
      return resourceName === '' ? [] : describeBrokerConfigs(broker, peer.advertised)
    }
  }
  const mayHaveSome = resourceType === clientMetricsResource || resourceType === groupResource
  if (mayHaveSome && resourceName !== '') return []
  return { fault: [errorCodes.INVALID_REQUEST, 'only topics and the broker have configs here'] }
}
