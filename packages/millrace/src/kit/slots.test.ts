import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { Slots } from './slots.ts'

const never = new AbortController().signal

describe('slots', () => {
  it('are handed out in the order of asking, never more than there are', async () => {
    const slots = new Slots(1)
    const order: string[] = []
    assert.equal(slots.tryTake(), true)
    const first = slots.take(never).then(() => order.push('first'))
    const second = slots.take(never).then(() => order.push('second'))
    assert.equal(slots.tryTake(), false)
    slots.release()
    await first
    assert.deepEqual(order, ['first'])
    assert.equal(slots.taken, 1)
    slots.release()
    await second
    assert.deepEqual(order, ['first', 'second'])
  })

  it('go to nobody who has given up waiting', async () => {
    const slots = new Slots(1)
    slots.tryTake()
    const aborter = new AbortController()
    const givenUp = slots.take(aborter.signal)
    aborter.abort()
    assert.equal(await givenUp, false)
    slots.release()
    assert.equal(slots.taken, 0)
    assert.equal(await slots.take(aborter.signal), false)
  })

  it('may become more while somebody waits', async () => {
    const slots = new Slots(1)
    slots.tryTake()
    const waiting = slots.take(never)
    slots.resize(2)
    assert.equal(await waiting, true)
    assert.equal(slots.taken, 2)
  })
})
