import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isFailure } from '../../errors/index.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  json,
  pattern,
  type ConsumerSettings,
  type MillraceConfig,
} from '../index.ts'
import { matchTopics } from './policy.ts'

const audit = pattern('audit', /^audit\.(?<level>\w+)$/)
const each = (): void => {}

function planOf(settings: ConsumerSettings, topic = audit): ConsumerPlan {
  const app = defineApp({ consumers: [defineConsumer({ topic, each, ...settings })] })
  return resolveConfig({ app }, { env: {} }).plans[0] as ConsumerPlan
}

function taken(
  plan: ConsumerPlan,
  names: readonly string[],
  byName: readonly string[] = [],
): string[] {
  const [topic] = plan.topics
  const found = names.map((name) => ({ name, isInternal: name.startsWith('__') }))
  const routes = topic === undefined ? [] : matchTopics([{ plan, topic }], found, new Set(byName))
  return routes.map(({ name, match }) => `${name} ${match.groups?.['level'] ?? ''}`.trim())
}

describe('a pattern', () => {
  it('takes each topic whose name matches, with what its groups say', () => {
    const names = [
      'audit.error',
      'audit.info',
      'audit',
      'audit.a.b',
      'orders',
      '__consumer_offsets',
    ]
    assert.deepEqual(taken(planOf({}), names), ['audit.error error', 'audit.info info'])
  })

  it('leaves out what the group reads by name', () => {
    assert.deepEqual(taken(planOf({}), ['audit.error', 'audit.info'], ['audit.info']), [
      'audit.error error',
    ])
  })

  it('never takes its own dead letters or retries, nor Kafka’s own topics', () => {
    const wide = pattern('wide', /./g)
    const names = ['orders', 'orders-dlt', 'orders-retry-wide-30s', 'users-dlt', '__offsets']
    const plan = planOf({ deadLetter: true }, wide)
    assert.deepEqual(taken(plan, names), ['orders', 'users-dlt'])
    assert.deepEqual(taken(plan, names), ['orders', 'users-dlt'], 'a second look sees the same')
    const elsewhere = planOf({ deadLetter: { topic: 'letters' } }, wide)
    assert.deepEqual(taken(elsewhere, ['orders', 'letters']), ['orders'])
  })

  it('is no topic of the cluster: nothing creates it, nothing compares it', () => {
    const app = defineApp({ consumers: [defineConsumer({ topic: audit, each })] })
    assert.deepEqual(resolveConfig({ app }, { env: {} }).topics, [])
  })

  it('types messages as a topic does', () => {
    const typed = pattern('typed', /^typed\./, {
      value: json<{ readonly id: number }>(),
      tombstones: true,
    })
    defineConsumer({
      topic: typed,
      each({ value, topic, key }, { match }) {
        const id: number | undefined = value?.id
        const texts: readonly (string | null | undefined)[] = [topic, key, match?.[0]]
        // @ts-expect-error a tombstone has no id
        const wrong: number = value.id
        return [id, texts, wrong]
      },
    })
    assert.equal(typed.hasTombstones, true)
  })

  it('tells what does not go with it', () => {
    const faultsOf = (settings: ConsumerSettings, more: MillraceConfig = {}): readonly string[] => {
      try {
        const consumers = [defineConsumer({ topic: audit, each, ...settings })]
        resolveConfig({ app: defineApp({ consumers }), ...more }, { env: {} })
        return []
      } catch (error) {
        if (!isFailure(error, 'MR_CONFIG_INVALID')) throw error
        return error.context['faults'] as readonly string[]
      }
    }
    assert.match(
      faultsOf({ assign: 'all' }).join(),
      /audit\.assign: a pattern's topics are not known/,
    )
    assert.match(faultsOf({ retryTopics: ['30s'] }).join(), /audit\.retryTopics: not for patterns/)
    const topicName = (name: string): string => `x.${name}`
    assert.match(faultsOf({}, { topicName }).join(), /add declaredName, the way back/)
    const declaredName = (name: string): string => name.slice(2)
    assert.deepEqual(faultsOf({}, { topicName, declaredName }), [])
    assert.equal(defineTopic('orders').pattern, undefined)
  })
})
