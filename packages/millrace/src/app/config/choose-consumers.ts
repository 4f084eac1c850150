import { nearest } from '../../kit/index.ts'
import type { ConsumerDefinition } from '../consumer/define-consumer.ts'

/** Part of an app for this process: `group:mail`, `topic:orders`, `consumer:welcome`, or a bare consumer name. */
export interface Selection {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** A name that nobody has is a fault: a typing error must not leave a group without workers. */
export function chosenConsumers(
  all: readonly ConsumerDefinition[],
  { include = [], exclude = [] }: Selection,
): { readonly consumers: readonly ConsumerDefinition[]; readonly faults: readonly string[] } {
  const faults: string[] = []
  const matching = (selector: string, path: string): readonly ConsumerDefinition[] => {
    const [kind, name] = selector.includes(':') ? selector.split(':', 2) : ['consumer', selector]
    const namesOf = selectorKinds[kind as keyof typeof selectorKinds]
    if (namesOf === undefined) {
      faults.push(`${path}: ${kind}: is none of group:, topic:, consumer:`)
      return []
    }
    const found = all.filter((consumer) => namesOf(consumer).some((own) => isSame(own, name ?? '')))
    if (found.length === 0) {
      const near = nearest(name ?? '', all.flatMap(namesOf))
      faults.push(
        `${path}: there is no ${kind} ${name}${near === undefined ? '' : `; did you mean ${near}?`}`,
      )
    }
    return found
  }
  const included = include.flatMap((selector) => matching(selector, 'include'))
  const excluded = exclude.flatMap((selector) => matching(selector, 'exclude'))
  const consumers = (
    include.length === 0 ? all : all.filter((one) => included.includes(one))
  ).filter((one) => !excluded.includes(one))
  return { consumers, faults }
}

const selectorKinds = {
  group: ({ group }: ConsumerDefinition): string[] => [group],
  topic: ({ topics }: ConsumerDefinition): string[] => topics.map(({ name }) => name),
  consumer: ({ name }: ConsumerDefinition): string[] => [name],
}

/** `price_drops` and `price-drops` name the same, as in scale files. */
function isSame(left: string, right: string): boolean {
  return left.replaceAll('_', '-') === right.replaceAll('_', '-')
}
