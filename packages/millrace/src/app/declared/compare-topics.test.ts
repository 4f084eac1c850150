import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { resolveConfig } from '../config/resolve-config.ts'
import { defineConsumer } from '../consumer/define-consumer.ts'
import { defineApp } from '../define-app.ts'
import { defineTopic } from '../topic/define-topic.ts'
import { compareTopics, type FoundTopic } from './compare-topics.ts'
import { wantedTopics, type WantedTopic } from './wanted-topics.ts'

const wanted = (name: string, more: Partial<WantedTopic> = {}): WantedTopic => ({
  name,
  cluster: 'main',
  partitions: undefined,
  replicas: undefined,
  configs: {},
  follows: undefined,
  ...more,
})

const found = (
  name: string,
  partitions: number,
  configs: Readonly<Record<string, string>> = {},
): [string, FoundTopic] => [
  name,
  { name, partitions, replicas: 1, configs: new Map(Object.entries(configs)) },
]

describe('declared topics against those of a cluster', () => {
  it('differ only in what is declared', () => {
    const there = new Map([found('orders', 4, { 'retention.ms': '1', 'segment.bytes': '7' })])
    assert.deepEqual(compareTopics([wanted('orders')], there), [])
    const same = wanted('orders', { partitions: 4, replicas: 1, configs: { 'retention.ms': '1' } })
    assert.deepEqual(compareTopics([same], there), [])
  })

  it('are missing, too narrow, or have other settings; too wide and other copies are told apart', () => {
    const there = new Map([
      found('narrow', 4, { 'retention.ms': '1', 'cleanup.policy': 'delete,compact' }),
      found('wide', 8),
    ])
    const users = wanted('users', { partitions: 2 })
    const configs = { 'retention.ms': '2', 'cleanup.policy': 'compact, delete', 'min.x': '0.50' }
    const differences = compareTopics(
      [
        users,
        wanted('narrow', { partitions: 6, configs }),
        wanted('wide', { partitions: 6, replicas: 3 }),
      ],
      there,
    )
    assert.deepEqual(differences, [
      { kind: 'missing', topic: 'users', wanted: users },
      { kind: 'partitions', topic: 'narrow', before: 4, after: 6 },
      { kind: 'setting', topic: 'narrow', setting: 'retention.ms', before: '1', after: '2' },
      { kind: 'setting', topic: 'narrow', setting: 'min.x', before: '', after: '0.50' },
      { kind: 'fewer-partitions', topic: 'wide', before: 8, after: 6 },
      { kind: 'replicas', topic: 'wide', before: 1, after: 3 },
    ])
  })

  it('take numbers for what they are worth', () => {
    const there = new Map([found('a', 1, { 'min.cleanable.dirty.ratio': '0.5' })])
    const configs = { 'min.cleanable.dirty.ratio': '0.50' }
    assert.deepEqual(compareTopics([wanted('a', { configs })], there), [])
  })

  it('are those of the app by their names on the wire, dead letter topics behind their sources', () => {
    const orders = defineTopic('orders', { partitions: 6, retention: '7d' })
    const mails = defineTopic('mails', { compaction: true, config: { 'segment.ms': 60_000 } })
    const all = wantedTopics(
      resolveConfig(
        {
          topicName: (name) => `shop.${name}`,
          strictNames: false,
          app: defineApp({
            topics: [mails],
            consumers: [
              defineConsumer({ topic: orders, group: 'a', deadLetter: true, each() {} }),
              defineConsumer({ topic: orders, group: 'b', deadLetter: true, each() {} }),
            ],
          }),
        },
        { env: {} },
      ),
    )
    assert.deepEqual(
      all.map(({ name, partitions, follows }) => [name, partitions, follows]),
      [
        ['shop.mails', undefined, undefined],
        ['shop.orders', 6, undefined],
        ['shop.orders-dlt', 6, 'shop.orders'],
      ],
    )
    assert.deepEqual(all[0]?.configs, { 'cleanup.policy': 'compact', 'segment.ms': '60000' })
    assert.deepEqual(all[1]?.configs, { 'retention.ms': String(7 * 24 * 3_600_000) })
  })
})
