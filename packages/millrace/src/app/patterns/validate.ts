import type { ConsumerDefinition, ConsumerSettings } from '../consumer/define-consumer.ts'
import { isPattern } from './pattern.ts'

export function patternFaults(
  definition: ConsumerDefinition,
  settings: ConsumerSettings,
  path: string,
): string[] {
  if (!definition.topics.some(isPattern)) return []
  const faults: string[] = []
  if (settings.assign !== undefined)
    faults.push(`${path}.assign: a pattern's topics are not known before; name topics to assign`)
  if (settings.retryTopics !== undefined)
    faults.push(`${path}.retryTopics: not for patterns; leave them out, or name the topics`)
  return faults
}

/** A mapper of names changes what a pattern would see, so it must be told the way back. */
export function mapperFaults(
  consumers: readonly ConsumerDefinition[],
  mappers: { readonly topicName: unknown; readonly declaredName: unknown },
): string[] {
  if (mappers.topicName === undefined || mappers.declaredName !== undefined) return []
  return consumers
    .filter(({ topics }) => topics.some(isPattern))
    .map(
      ({ name }) =>
        `consumers.${name}.topic: a pattern sees names as they are declared, and topicName changes them; add declaredName, the way back`,
    )
}
