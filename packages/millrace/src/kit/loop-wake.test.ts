import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LoopWake } from './loop-wake.ts'

/** A loop by hand: `turn` runs what waits for the next turn, and tells whether something did. */
function handLoop(cores = 2): {
  readonly wake: LoopWake
  pass(ms: number): void
  turn(): boolean
  exchange(afterMs: number, requests?: number): void
} {
  let nowMs = 1000
  let next: (() => void) | undefined
  const wake = new LoopWake({
    cores,
    nowMs: () => nowMs,
    nextTurn: (look) => {
      assert.equal(next, undefined, 'one look at a time')
      next = look
    },
  })
  return {
    wake,
    pass: (ms) => void (nowMs += ms),
    turn() {
      const look = next
      next = undefined
      look?.()
      return next !== undefined
    },
    exchange(afterMs, requests = 1) {
      nowMs += afterMs
      for (let request = 0; request < requests; request++) wake.arrived()
      nowMs += 0.01
      for (let request = 0; request < requests; request++) wake.answered()
    },
  }
}

describe('the loop between two requests', () => {
  it('stays awake for a client that asks and waits in turn', () => {
    const loop = handLoop()
    for (let request = 0; request < 20; request++) loop.exchange(0.07)
    assert.ok(loop.turn())
    loop.exchange(0.02)
    assert.ok(loop.turn())
  })

  it('sleeps after a tenth of a millisecond without a request, until the next conversation', () => {
    const loop = handLoop()
    for (let request = 0; request < 20; request++) loop.exchange(0.07)
    loop.pass(0.11)
    assert.equal(loop.turn(), false)
    for (let request = 0; request < 10; request++) loop.exchange(0.07)
    assert.equal(loop.turn(), false)
  })

  it('never stays awake for a message each millisecond', () => {
    const loop = handLoop()
    for (let request = 0; request < 100; request++) {
      loop.exchange(1)
      assert.equal(loop.turn(), false)
    }
  })

  it('never stays awake for a crowd, nor with a single core', () => {
    const crowd = handLoop()
    for (let turn = 0; turn < 100; turn++) crowd.exchange(0.05, turn % 10 === 0 ? 30 : 1)
    assert.equal(crowd.turn(), false)
    const alone = handLoop(1)
    for (let request = 0; request < 100; request++) alone.exchange(0.07)
    assert.equal(alone.turn(), false)
  })
})
