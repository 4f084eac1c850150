import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isFailure } from '../../errors/index.ts'
import { resolveConfig, type ConfigSources } from '../config/resolve-config.ts'
import { defineApp, defineConsumer, defineTopic, type ConsumerSettings } from '../index.ts'

const orders = defineTopic('orders')
const users = defineTopic('users')
const each = (): void => {}

interface Consumed extends ConsumerSettings {
  readonly name: string
  readonly group?: string
  readonly topic?: typeof orders | typeof users | readonly (typeof orders | typeof users)[]
}

function plansOf(
  consumers: readonly Consumed[],
  sources: ConfigSources = {},
): ReturnType<typeof resolveConfig>['plans'] {
  const app = defineApp({
    consumers: consumers.map((one) => defineConsumer({ topic: orders, each, ...one })),
  })
  return resolveConfig({ clientId: 'shop', app }, { env: {}, ...sources }).plans
}

function faultsOf(...args: Parameters<typeof plansOf>): readonly string[] {
  try {
    plansOf(...args)
    return []
  } catch (error) {
    if (!isFailure(error, 'MR_CONFIG_INVALID')) throw error
    return error.context['faults'] as readonly string[]
  }
}

describe('assigned partitions', () => {
  it('keep their positions in the consumer’s group, another one, or nowhere', () => {
    const groupOf = (more: ConsumerSettings): string | undefined =>
      plansOf([{ name: 'mail', assign: [0], ...more }])[0]?.assignment?.groupId
    assert.equal(groupOf({}), 'shop_mail')
    assert.equal(groupOf({ positions: 'ledger' }), 'shop_ledger')
    assert.equal(groupOf({ positions: 'none' }), undefined)
    assert.equal(plansOf([{ name: 'mail' }])[0]?.assignment, undefined)
  })

  it('may be chosen for one process: the consumers of those topics, and no others', () => {
    const consumers = [
      { name: 'mail' },
      { name: 'both', topic: [orders, users] },
      { name: 'people', topic: users },
    ]
    const chosen = plansOf(consumers, { assign: [{ topic: 'orders', partitions: [0, 1] }] })
    assert.deepEqual(
      chosen.map(({ name, topics, assignment }) => [
        name,
        topics.map((topic) => topic.name),
        assignment?.partitionsByTopic.get('orders'),
        assignment?.groupId,
      ]),
      [
        ['mail', ['orders'], [0, 1], 'shop_mail'],
        ['both', ['orders'], [0, 1], 'shop_both'],
      ],
    )
  })

  it('tell what is wrong with them, all at once', () => {
    assert.deepEqual(
      faultsOf([
        { name: 'a', assign: [] },
        { name: 'b', assign: [0, -1, 1.5, 0] },
        { name: 'c', positions: 'x' },
        { name: 'd', assign: [0], positions: 'a b' },
      ]),
      [
        "consumers.a.assign: name partitions, as [0, 1], or 'all'",
        'consumers.b.assign: -1 is no partition',
        'consumers.b.assign: 1.5 is no partition',
        'consumers.b.assign: names a partition twice',
        'consumers.c.positions: only with assign; a group keeps its own positions',
        "consumers.d.positions: 'a b' is neither none nor the name of a group",
      ],
    )
    assert.deepEqual(
      faultsOf([{ name: 'mail' }], {
        assign: [
          { topic: 'oders', partitions: 'all' },
          { topic: 'orders', partitions: [0] },
          { topic: 'orders', partitions: [1] },
        ],
      }),
      [
        'assign: no consumer here reads oders; did you mean orders?',
        'assign: orders is named twice',
      ],
    )
    assert.deepEqual(
      faultsOf([
        { name: 'mail' },
        { name: 'pinned', topic: users, assign: 'all', positions: 'mail' },
      ]),
      [
        'consumers.pinned.assign: its positions are kept in a group that mail joins, which refuses them; say positions',
      ],
    )
  })
})
