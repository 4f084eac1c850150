import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { murmur2 } from '../../protocol/index.ts'
import { partitioners, StickyPartition, type PartitionerName } from './partitioner.ts'

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
      assert.equal(partitioners.murmur2_random(key, 7), (hash & 0x7fff_ffff) % 7)
    }
  })

  it('is the one that librdkafka gives it, by each of its partitioners', () => {
    // Where librdkafka 2 has put these keys in a topic of 7 partitions; undefined: anywhere.
    const keys = ['', '21', 'foobar', 'abc', 'a-little-bit-long-string', 'h\u00e9llo'].map((text) =>
      Buffer.from(text),
    )
    keys.push(Buffer.from([0, 255]), Buffer.from('user:42'))
    const all: readonly (Buffer | null)[] = [...keys, null]
    const found: Readonly<Partial<Record<PartitionerName, readonly (number | undefined)[]>>> = {
      consistent: [0, 6, 6, 5, 3, 3, 6, 4, 0],
      consistent_random: [undefined, 6, 6, 5, 3, 3, 6, 4, undefined],
      murmur2: [2, 3, 0, 4, 1, 2, 4, 6, 2],
      murmur2_random: [2, 3, 0, 4, 1, 2, 4, 6, undefined],
      fnv1a: [2, 3, 4, 5, 1, 4, 0, 1, 2],
      fnv1a_random: [2, 3, 4, 5, 1, 4, 0, 1, undefined],
    }
    for (const [name, partitions] of Object.entries(found))
      assert.deepEqual(
        all.map((key) => partitioners[name as PartitionerName](key, 7)),
        partitions,
        name,
      )
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
