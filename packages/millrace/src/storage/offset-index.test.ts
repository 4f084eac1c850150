import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'

describe('offset index', () => {
  it('finds where to start walking, before the first entry and behind the last', () => {
    const index = new OffsetIndex(1)
    for (const [offset, position] of [
      [9, 100],
      [19, 200],
      [29, 300],
    ] as const)
      index.add(offset, position)
    const found = [0, 8, 9, 18, 19, 28, 29, 1000].map((offset) => index.positionOf(offset))
    assert.deepEqual(found, [0, 0, 100, 100, 200, 200, 300, 300])
    const borders = [0, 99, 100, 250, 9999].map((position) => index.borderBefore(position))
    assert.deepEqual(borders, [0, 0, 100, 200, 300])
  })

  it('has the layout of Kafka and comes back from it', () => {
    const index = new OffsetIndex()
    index.add(41, 4200)
    index.add(99, 8400)
    assert.equal(index.encode().toString('hex'), '000000290000106800000063000020d0')
    const back = OffsetIndex.decode(index.encode(), 10_000)
    assert.equal(back?.lastOffset(), 99)
    assert.equal(back?.positionOf(50), 4200)
  })

  it('is not believed when it is torn, full of zeros, out of order, or points behind the log', () => {
    const index = new OffsetIndex()
    index.add(41, 4200)
    index.add(99, 8400)
    const bytes = index.encode()
    assert.equal(OffsetIndex.decode(bytes.subarray(0, 9), 10_000), undefined)
    assert.equal(OffsetIndex.decode(Buffer.alloc(16), 10_000), undefined)
    assert.equal(OffsetIndex.decode(bytes, 8400), undefined)
    const swapped = Buffer.concat([bytes.subarray(8), bytes.subarray(0, 8)])
    assert.equal(OffsetIndex.decode(swapped, 10_000), undefined)
  })
})

describe('time index', () => {
  it('takes only rising times, and finds the batch before which nothing is later', () => {
    const index = new TimeIndex(1)
    index.addIfLater(1000, 9)
    index.addIfLater(1000, 19)
    index.addIfLater(900, 29)
    index.addIfLater(2000, 39)
    assert.equal(index.length, 2)
    assert.deepEqual(
      [0, 999, 1000, 1999, 2000, 5000].map((time) => index.offsetBefore(time)),
      [0, 0, 9, 9, 39, 39],
    )
    assert.deepEqual(index.last, { timestamp: 2000, relativeOffset: 39 })
  })

  it('has the layout of Kafka and comes back from it', () => {
    const index = new TimeIndex()
    index.addIfLater(1_700_000_000_000, 41)
    assert.equal(index.encode().toString('hex'), '0000018bcfe5680000000029')
    assert.deepEqual(TimeIndex.decode(index.encode())?.last, index.last)
    assert.equal(TimeIndex.decode(Buffer.alloc(24)), undefined)
    assert.equal(TimeIndex.decode(index.encode().subarray(0, 11)), undefined)
  })
})
