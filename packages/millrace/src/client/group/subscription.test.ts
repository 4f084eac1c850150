import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { consumerSubscription } from '../../protocol/index.ts'
import { cooperativeSticky, range } from './assignors/index.ts'
import {
  decodeAssignment,
  decodeMember,
  encodeAssignment,
  encodeSubscription,
} from './subscription.ts'

const owned = [
  { topic: 'b', partition: 1 },
  { topic: 'a', partition: 0 },
  { topic: 'b', partition: 0 },
]

describe('what members tell each other', () => {
  it('is written in the newest version and read back the same', () => {
    const metadata = encodeSubscription(cooperativeSticky, ['b', 'a'], owned, 7)
    assert.equal(metadata.readInt16BE(0), 3)
    const member = decodeMember({ memberId: 'm', instanceId: null, metadata }, cooperativeSticky)
    assert.deepEqual(member.topics, ['a', 'b'])
    assert.equal(member.generation, 7)
    assert.deepEqual(
      new Set(member.owned.map(({ topic, partition }) => `${topic}${partition}`)),
      new Set(['a0', 'b0', 'b1']),
    )
  })

  it('is read from a Java client of version 0, whose generation stands in the user data', () => {
    // ConsumerProtocolSubscription 0 of the Java client: three topics, user data of four bytes.
    const hex = '0000000000030007746f7069632d300007746f7069632d310007746f7069632d32000000040000002a'
    const metadata = Buffer.from(hex, 'hex')
    const member = decodeMember({ memberId: 'm', instanceId: 'i', metadata }, cooperativeSticky)
    assert.deepEqual(member.topics, ['topic-0', 'topic-1', 'topic-2'])
    assert.deepEqual(member.owned, [])
    assert.equal(member.generation, 42)
    assert.equal(decodeMember({ memberId: 'm', instanceId: null, metadata }, range).generation, -1)
  })

  it('is read from versions still to come, as far as it is known', () => {
    const known = consumerSubscription.encode(3, { topics: ['a'], generationId: 5 })
    const newer = Buffer.concat([known, Buffer.from([1, 2, 3])])
    newer.writeInt16BE(9, 0)
    const member = decodeMember(
      { memberId: 'm', instanceId: null, metadata: newer },
      cooperativeSticky,
    )
    assert.deepEqual([member.topics, member.generation], [['a'], 5])
  })

  it('an assignment of nothing may be no bytes at all', () => {
    assert.deepEqual(decodeAssignment(Buffer.alloc(0)), [])
    assert.deepEqual(decodeAssignment(encodeAssignment([])), [])
    assert.equal(decodeAssignment(encodeAssignment(owned)).length, 3)
  })
})
