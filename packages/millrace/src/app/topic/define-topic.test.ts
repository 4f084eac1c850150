import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { z } from 'zod'

import { bytes, defineTopic, json, text, type Topic } from '../index.ts'
import { topicNameFaults } from './names.ts'

const at = { partition: 3, offset: 42 }

describe('a declared topic', () => {
  it('writes and reads JSON by default, and text keys', () => {
    const topic = defineTopic('users')
    assert.deepEqual(topic.encodeValue({ a: 1 }), Buffer.from('{"a":1}'))
    assert.deepEqual(topic.decodeValue(Buffer.from('{"a":1}'), at), { a: 1 })
    assert.equal(topic.decodeKey(topic.encodeKey('k'), at), 'k')
    assert.equal(topic.decodeKey(null, at), null)
  })

  it('checks both ways with a schema', () => {
    const topic = defineTopic('users', { value: z.object({ id: z.string() }) }) as Topic
    assert.throws(() => topic.encodeValue({ id: 7 }), { code: 'MR_APP_SCHEMA_MISMATCH' })
    assert.throws(() => topic.decodeValue(Buffer.from('{"id":7}'), at), {
      message: /users\/3@42 does not fit its schema: id: /,
    })
    assert.deepEqual(topic.encodeValue({ id: 'a', secret: 'x' }), Buffer.from('{"id":"a"}'))
  })

  it('waits for a schema that is asynchronous', async () => {
    const topic = defineTopic('users', {
      value: z.string().refine(async (value) => Promise.resolve(value !== 'bad')),
      decode: 'ahead',
    }) as Topic
    assert.equal(String(await topic.encodeValue('good')), '"good"')
    await assert.rejects(async () => topic.encodeValue('bad'), { code: 'MR_APP_SCHEMA_MISMATCH' })
    assert.equal(await topic.decodeValue(Buffer.from('"good"'), at), 'good')
  })

  it('takes null for a tombstone where those are declared, and nowhere else', () => {
    const strict = defineTopic('users') as Topic
    assert.throws(() => strict.encodeValue(null), { code: 'MR_APP_TOMBSTONE_REFUSED' })
    assert.throws(() => strict.decodeValue(null, at), { code: 'MR_APP_TOMBSTONE_REFUSED' })
    const loose = defineTopic('users', { tombstones: true })
    assert.equal(loose.encodeValue(null), null)
    assert.equal(loose.decodeValue(null, at), null)
  })

  it('has other codecs, which name what does not fit', () => {
    const lines = defineTopic('lines', { value: text() }) as Topic
    assert.equal(lines.decodeValue(Buffer.from('ß'), at), 'ß')
    assert.throws(() => lines.decodeValue(Buffer.from([0xff]), at), { code: 'MR_APP_UNDECODABLE' })
    assert.throws(() => lines.encodeValue(7), { message: /text is wanted, not a number/ })
    const blobs = defineTopic('blobs', { value: bytes(), key: json<number>() })
    assert.equal(blobs.decodeKey(blobs.encodeKey(7), at), 7)
    assert.throws(() => (defineTopic('j') as Topic).encodeValue(undefined), {
      code: 'MR_APP_UNENCODABLE',
    })
  })

  it('keeps to Kafka’s rule for names, and out of its trap', () => {
    assert.deepEqual(topicNameFaults(['users', 'a-b', 'a.b', 'x_y'], true), [])
    assert.equal(topicNameFaults(['a b', '', '..', 'x'.repeat(250)], true).length, 4)
    assert.match(topicNameFaults(['a.b', 'a_b'], true)[0] ?? '', /differs from a\.b only/)
    assert.match(topicNameFaults(['a.b_c'], true)[0] ?? '', /use either/)
    assert.deepEqual(topicNameFaults(['a.b', 'a_b', 'a.b_c'], false), [])
  })
})
