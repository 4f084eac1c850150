import { isFailure } from '../../errors/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import type { TopicConfigs } from '../../storage/index.ts'
import { topicConfigFault, topicConfigNamed } from './topic-configs.ts'
import type { Topics } from './topics.ts'

/** Kafka's numbers for what happens to one config (KIP-339). */
export const configOperations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export interface ConfigChange {
  readonly name: string
  readonly configOperation: number
  readonly value: string | null
}

export interface ConfigFault {
  readonly errorCode: number
  readonly errorMessage: string
}

const topicResource = 2

/**
 * Changes the configs of one resource, which has to be a topic, or tells why not.
 * @param change - from what the topic sets now to what it is to set, or a fault
 */
export async function alterConfigs(
  topics: Topics,
  resource: { readonly resourceType: number; readonly resourceName: string },
  validateOnly: boolean,
  change: (now: TopicConfigs) => Record<string, string> | ConfigFault,
): Promise<ConfigFault | undefined> {
  const { resourceType, resourceName } = resource
  if (resourceType !== topicResource)
    return fault(errorCodes.INVALID_REQUEST, 'only the configs of topics can be changed here')
  const topic = topics.named(resourceName)
  if (topic === undefined)
    return fault(errorCodes.UNKNOWN_TOPIC_OR_PARTITION, `there is no topic ${resourceName}`)
  let refusal: ConfigFault | undefined
  const planned = (now: TopicConfigs): TopicConfigs => {
    const next = change(now)
    refusal = isFault(next) ? next : faultOf(next)
    return isFault(next) || refusal !== undefined ? now : next
  }
  try {
    if (validateOnly) planned(topic.configs)
    else await topics.changeConfigs(topic, planned)
    return refusal
  } catch (error) {
    if (isFailure(error, 'MR_STORAGE_TOPIC_UNKNOWN'))
      return fault(errorCodes.UNKNOWN_TOPIC_OR_PARTITION, `there is no topic ${resourceName}`)
    if (!isFailure(error)) throw error
    return fault(errorCodes.KAFKA_STORAGE_ERROR, error.message)
  }
}

function faultOf(configs: TopicConfigs): ConfigFault | undefined {
  for (const [name, value] of Object.entries(configs)) {
    const wrong = topicConfigFault(name, value)
    if (wrong !== undefined) return fault(errorCodes.INVALID_CONFIG, wrong)
  }
  return undefined
}

/** All of a resource's changes, or none. */
export function changedConfigs(
  now: TopicConfigs,
  changes: readonly ConfigChange[],
): Record<string, string> | ConfigFault {
  const next: Record<string, string> = { ...now }
  const seen = new Set<string>()
  for (const { name, configOperation, value } of changes) {
    if (seen.has(name)) return fault(errorCodes.INVALID_REQUEST, `${name} is named twice`)
    seen.add(name)
    const config = topicConfigNamed(name)
    if (config === undefined)
      return fault(errorCodes.INVALID_CONFIG, `there is no topic config ${name}`)
    if (configOperation === configOperations.delete) {
      delete next[name]
      continue
    }
    if (value === null) return fault(errorCodes.INVALID_CONFIG, `${name} has no value`)
    if (configOperation === configOperations.set) {
      next[name] = value
      continue
    }
    const isListChange =
      configOperation === configOperations.append || configOperation === configOperations.subtract
    if (!isListChange)
      return fault(errorCodes.INVALID_REQUEST, `there is no operation ${configOperation}`)
    if (config.type !== 'list')
      return fault(errorCodes.INVALID_CONFIG, `${name} is no list to append to or subtract from`)
    const parts = new Set(partsOf(next[name] ?? config.default ?? ''))
    for (const part of partsOf(value)) {
      if (configOperation === configOperations.append) parts.add(part)
      else parts.delete(part)
    }
    next[name] = [...parts].join(',')
  }
  return next
}

function partsOf(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function isFault(value: Record<string, string> | ConfigFault): value is ConfigFault {
  return typeof value['errorCode'] === 'number'
}

function fault(errorCode: number, errorMessage: string): ConfigFault {
  return { errorCode, errorMessage }
}
