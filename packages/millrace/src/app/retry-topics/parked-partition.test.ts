import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { encodeParked, MemoryParkedLog, type ParkedFeed } from './parked-log.ts'
import { ParkedPartition } from './parked-partition.ts'

const topic = 'users-retry-mail-parked'
const record = (key: string, tier = 0): Parameters<typeof encodeParked>[0] => ({
  key,
  tier,
  dueMs: 1000,
})

/** A log that hands out its records one by one, as slowly as the test wants. */
function slowFeed(log: MemoryParkedLog, seen: () => number): ParkedFeed {
  const all = log.follow(topic, 0).take()
  let position = 0
  return {
    take() {
      const taken = all.slice(position, seen())
      position += taken.length
      return taken
    },
    get isLoaded() {
      return position === all.length
    },
    get position() {
      return position
    },
    refresh() {},
    close() {},
  }
}

describe('what is parked of a partition', () => {
  it('is known when everything was read that lay there, and every record asked for', () => {
    const log = new MemoryParkedLog()
    log.append(topic, 0, Buffer.from('5'), Buffer.from(encodeParked(record('a'))))
    log.append(topic, 0, Buffer.from('9'), Buffer.from(encodeParked(record('a', 1))))
    log.append(topic, 0, Buffer.from('5'), null)
    let seen = 1
    const parked = new ParkedPartition(slowFeed(log, () => seen))
    assert.equal(parked.isKnown(-1), false)
    assert.deepEqual(parked.before('a', 9), record('a'))
    seen = 3
    assert.equal(parked.isKnown(3), false, 'a later record is still to come')
    assert.equal(parked.isKnown(2), true)
    assert.equal(parked.before('a', 9), undefined)
    assert.deepEqual(parked.before('a', 10), record('a', 1))
    assert.equal(parked.before('b', 10), undefined)
  })

  it('does not go back to what was read before a write of this worker', () => {
    const log = new MemoryParkedLog()
    log.append(topic, 0, Buffer.from('5'), Buffer.from(encodeParked(record('a'))))
    log.append(topic, 0, Buffer.from('5'), null)
    const own = log.append(topic, 0, Buffer.from('5'), Buffer.from(encodeParked(record('a', 1))))
    let seen = 0
    const parked = new ParkedPartition(slowFeed(log, () => seen))
    parked.wrote(5, record('a', 1), own)
    for (seen = 1; seen <= 3; seen++) {
      parked.isKnown(-1)
      assert.deepEqual(parked.of(5), record('a', 1), `after ${seen} records`)
    }
    parked.finishing(5)
    assert.equal(parked.before('a', 6), undefined, 'at once, before its tombstone is written')
  })

  it('takes no notice of what is no record of ours', () => {
    const log = new MemoryParkedLog()
    for (const [key, value] of [
      [null, '{}'],
      ['', '{}'],
      ['x', encodeParked(record('a'))],
      ['1', 'no JSON'],
      ['1', 'null'],
      ['1', '{"key":1,"tier":0,"dueMs":0}'],
    ] as const)
      log.append(topic, 0, key === null ? null : Buffer.from(key), Buffer.from(value))
    const parked = new ParkedPartition(log.follow(topic, 0))
    assert.equal(parked.isKnown(5), true)
    assert.equal(parked.of(1), undefined)
  })
})
