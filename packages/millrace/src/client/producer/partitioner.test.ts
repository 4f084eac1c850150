import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { murmur2 } from '../../protocol/index.ts'
import { partitionForKey, StickyPartition } from './partitioner.ts'

describe('the partition of a key', () => {
  it('is the one that the Java client gives it', () => {
    // Hashes of the Java client (Utils.murmur2) and what they leave over 7 partitions.
    const vectors: readonly (readonly [string, number])[] = [
      ['21', -973_932_308],
      ['foobar', -790_332_482],
      ['abc', 479_470_107],
      ['a-little-bit-long-string', -985_981_536],
      ['a-little-bit-longer-string', -1_486_304_829],
    ]
    for (const [text, hash] of vectors) {
      const key = Buffer.from(text)
      assert.equal(murmur2(key), hash)
      assert.equal(partitionForKey(key, 7), (hash & 0x7fff_ffff) % 7)
    }
  })

  it('is the same for an empty key, which is a key', () => {
    assert.equal(partitionForKey(Buffer.alloc(0), 7), partitionForKey(Buffer.alloc(0), 7))
  })
})

describe('messages without a key', () => {
  it('stay on one partition while its batch collects, then move', () => {
    let chance = 0
    const sticky = new StickyPartition(() => chance)
    const choice = { partitions: 4, queued: () => 0 }
    const first = sticky.choose(choice, () => false)
    chance = 0.99
    assert.equal(
      sticky.choose(choice, () => true),
      first,
    )
    assert.notEqual(
      sticky.choose(choice, () => false),
      first,
    )
  })

  it('go more often to the shorter queues, and never where there is no leader', () => {
    const lengths = [0, 9, undefined, 4]
    const counts = [0, 0, 0, 0]
    for (let step = 0; step < 1000; step++) {
      const sticky = new StickyPartition(() => step / 1000)
      const at = sticky.choose({ partitions: 4, queued: (one) => lengths[one] }, () => false)
      counts[at] = (counts[at] ?? 0) + 1
    }
    // Weights 10, 1, -, 6 of 17.
    assert.deepEqual(
      counts.map((count) => Math.round((count * 17) / 1000)),
      [10, 1, 0, 6],
    )
  })

  it('go anywhere while no partition has a leader', () => {
    const sticky = new StickyPartition(() => 0.999)
    assert.equal(
      sticky.choose({ partitions: 3, queued: () => undefined }, () => false),
      2,
    )
  })
})
