import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planRetention, type AgedSegment } from './retention.ts'
import { logConfigs, logDefaults, type LogConfigs } from './topic-configs.ts'

describe('retention plan', () => {
  const segments = [aged(100, 1000), aged(100, 2000), aged(50, 3000)]

  it('drops from the head what is older than retention.ms', () => {
    assert.deepEqual(planRetention(segments, configs({ 'retention.ms': '500' }), 2400), {
      count: 1,
      needsRoll: false,
    })
    assert.equal(planRetention(segments, configs({ 'retention.ms': '-1' }), 1e15).count, 0)
  })

  it('lets an expired active segment go too, after a roll', () => {
    assert.deepEqual(planRetention(segments, configs({ 'retention.ms': '500' }), 9000), {
      count: 3,
      needsRoll: true,
    })
    const empty = [aged(0, -1)]
    assert.equal(planRetention(empty, configs({ 'retention.ms': '0' }), 9000).count, 0)
  })

  it('keeps a young segment that stands behind an old one, and all behind it', () => {
    const mixed = [aged(1, 9000), aged(1, 1000), aged(1, 9000)]
    assert.equal(planRetention(mixed, configs({ 'retention.ms': '500' }), 9100).count, 0)
  })

  it('never expires by time what has no timestamps', () => {
    assert.equal(planRetention([aged(10, -1)], configs({ 'retention.ms': '1' }), 1e15).count, 0)
  })

  it('drops by size while retention.bytes are left without the oldest', () => {
    const forever = { 'retention.ms': '-1' }
    const count = (bytes: number): number =>
      planRetention(segments, configs({ ...forever, 'retention.bytes': String(bytes) }), 0).count
    assert.deepEqual([250, 151, 150, 51, 50, 0].map(count), [0, 0, 1, 1, 2, 2])
  })

  it('leaves topics alone whose policy is compact only', () => {
    const compact = configs({ 'cleanup.policy': 'compact', 'retention.ms': '1' })
    assert.equal(planRetention(segments, compact, 1e15).count, 0)
    const both = configs({ 'cleanup.policy': 'compact,delete', 'retention.ms': '1' })
    assert.equal(planRetention(segments, both, 1e15).count, 3)
  })
})

describe('topic configs', () => {
  it('takes what is out of range for unset', () => {
    assert.equal(
      logConfigs({ 'segment.bytes': 'many' }, logDefaults).segmentBytes,
      64 * 1024 * 1024,
    )
    assert.equal(logConfigs({ 'retention.ms': '-5' }, logDefaults).retentionMs, 604_800_000)
    assert.equal(logConfigs({ 'segment.bytes': '4096' }, logDefaults).segmentBytes, 4096)
  })
})

function configs(own: Record<string, string>): LogConfigs {
  return logConfigs(own, logDefaults)
}

function aged(size: number, maxTimestamp: number): AgedSegment {
  return { size, maxTimestamp, nextOffset: 0 }
}
