import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parsePlace } from '../parse-places.ts'
import { parseOffsetsFile } from './offsets-file.ts'
import { parseTarget } from './target.ts'

const nowMs = 1_700_000_000_000
const to = (text: string): unknown => parseTarget({ to: text, by: undefined }, nowMs)
const by = (text: string): unknown => parseTarget({ to: undefined, by: text }, nowMs)

describe('the target of a reset', () => {
  it('is an end, an offset, a time, another group, or a file', () => {
    assert.deepEqual(to('start'), { to: 'start' })
    assert.deepEqual(to('42'), { to: 'offset', offset: 42 })
    assert.deepEqual(to('1h ago'), { to: 'time', timestampMs: nowMs - 3_600_000 })
    assert.deepEqual(to('group:other'), { to: 'group', group: 'other' })
    assert.deepEqual(to('file:a.csv'), { to: 'file', path: 'a.csv' })
  })

  it('is so many messages on or back, or a time ago', () => {
    assert.deepEqual(by('+10'), { to: 'shift', by: 10 })
    assert.deepEqual(by('-10'), { to: 'shift', by: -10 })
    assert.deepEqual(by('-2h'), { to: 'time', timestampMs: nowMs - 7_200_000 })
  })

  it('is refused when it is none, or two', () => {
    for (const wrong of [
      () => to('-5'),
      () => by('5'),
      () => by('+1h'),
      () => parseTarget({ to: undefined, by: undefined }, nowMs),
      () => parseTarget({ to: 'start', by: '+1' }, nowMs),
    ])
      assert.throws(wrong, { code: 'MR_CLI_USAGE' })
  })
})

describe('a place', () => {
  it('is a topic, or partitions of it', () => {
    assert.deepEqual(parsePlace('orders'), { topic: 'orders', partitions: undefined })
    assert.deepEqual(parsePlace('a.b:0,2-3'), { topic: 'a.b', partitions: new Set([0, 2, 3]) })
    for (const text of ['', ':1', 'a:x', 'a:1:2'])
      assert.throws(() => parsePlace(text), { code: 'MR_CLI_USAGE' }, text)
  })
})

describe('a file of offsets', () => {
  it("is read as Kafka's script writes it", () => {
    assert.deepEqual(parseOffsetsFile('f', '"orders",0,5\norders,1,7\r\n\n'), [
      { topic: 'orders', partition: 0, offset: 5 },
      { topic: 'orders', partition: 1, offset: 7 },
    ])
    assert.throws(() => parseOffsetsFile('f.csv', 'orders,0,5\norders,x,7\n'), /f\.csv: line 2/)
  })
})
