import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeTopicConfigs } from './describe-configs.ts'
import { topicConfigFault, topicConfigs } from './topic-configs.ts'

describe('topic configs', () => {
  it('takes every default it gives', () => {
    for (const [name, config] of Object.entries(topicConfigs))
      assert.equal(topicConfigFault(name, config.default), undefined, name)
  })

  it('says what is wrong with a value', () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['retention.ms', 'a week'],
      ['retention.ms', '-2'],
      ['retention.ms', ''],
      ['segment.bytes', '1024'],
      ['segment.bytes', '2147483648'],
      ['cleanup.policy', 'shred'],
      ['cleanup.policy', ''],
      ['compression.type', 'brotli'],
      ['preallocate', 'maybe'],
      ['min.cleanable.dirty.ratio', '1.5'],
      ['min.cleanable.dirty.ratio', ''],
      ['no.such.config', '1'],
    ]
    for (const [name, value] of wrong)
      assert.notEqual(topicConfigFault(name, value), undefined, `${name}=${value}`)
    assert.equal(topicConfigFault('cleanup.policy', 'compact, delete'), undefined)
    assert.equal(topicConfigFault('flush.ms', '9223372036854775807'), undefined)
    assert.equal(topicConfigFault('retention.bytes', '-1'), undefined)
  })

  it('describes all of them, with where each value comes from', () => {
    const rows = describeTopicConfigs({ 'retention.bytes': '1000' })
    assert.equal(rows.length, Object.keys(topicConfigs).length)
    const retention = rows.find(({ name }) => name === 'retention.bytes')
    assert.deepEqual([retention?.value, retention?.source], ['1000', 1])
    assert.deepEqual(retention?.synonyms, [
      { name: 'retention.bytes', value: '1000', source: 1 },
      { name: 'log.retention.bytes', value: '-1', source: 5 },
    ])
    const policy = rows.find(({ name }) => name === 'cleanup.policy')
    assert.deepEqual([policy?.value, policy?.source], ['delete', 5])
  })
})
