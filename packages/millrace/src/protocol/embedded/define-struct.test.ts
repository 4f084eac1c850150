import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { consumerSubscription, cooperativeStickyUserData } from './consumer-protocol.ts'
import { groupMetadataKey, offsetCommitKey, offsetCommitValue } from './coordinator-records.ts'
import { readStructVersion } from './define-struct.ts'

describe('structs inside fields and records', () => {
  it('carry their version in front', () => {
    const key = offsetCommitKey.encode(1, { group: 'mail', topic: 'users', partition: 3 })
    assert.equal(readStructVersion(key), 1)
    assert.deepEqual(offsetCommitKey.decode(key), { group: 'mail', topic: 'users', partition: 3 })
    assert.equal(readStructVersion(groupMetadataKey.encode(2, { group: 'mail' })), 2)
    assert.equal(cooperativeStickyUserData.encode(0, { generation: 7 }).toString('hex'), '00000007')
  })

  it('of a newer version are read among consumers, as far as we know them', () => {
    const newest = consumerSubscription.encode(3, { topics: ['users'], rackId: 'a' })
    newest.writeInt16BE(9, 0)
    const read = consumerSubscription.decode(Buffer.concat([newest, Buffer.from('more')]))
    assert.deepEqual([read.topics, read.rackId], [['users'], 'a'])
  })

  it('of a newer version are refused in a coordinator’s topic', () => {
    const value = offsetCommitValue.encode(3, { offset: 42 })
    value.writeInt16BE(5, 0)
    assert.throws(() => offsetCommitValue.decode(value), {
      code: 'MR_PROTOCOL_VERSION_UNSUPPORTED',
      message: 'there is no version 5 of OffsetCommitValue here, only 0 to 4',
    })
  })

  it('that are cut say where', () => {
    assert.throws(
      () => offsetCommitValue.decode(Buffer.alloc(1)),
      /version: 2 bytes wanted, 1 left/,
    )
    const value = offsetCommitValue.encode(3, { offset: 42, metadata: 'text' })
    assert.throws(
      () => offsetCommitValue.decode(value.subarray(0, 17)),
      /OffsetCommitValue v3: metadata/,
    )
  })
})
