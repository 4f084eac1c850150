import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { InvariantChecker, type ObservedJob } from './invariants.ts'

const spot = { groupId: 'mail', topic: 'orders', partition: 0 }
const job = (offset: number, scope: string | null = '', attempt = 1): ObservedJob => ({
  ...spot,
  offsets: [offset],
  scopes: [scope ?? undefined],
  attempt,
})

/** A checker whose partition belongs to worker 1, and the facts that a test plants. */
function planted(facts: (checker: InvariantChecker) => void): readonly string[] {
  const checker = new InvariantChecker()
  checker.assigned(1, spot)
  facts(checker)
  return checker.violations.map((line) => line.replace('mail orders/0: ', ''))
}

const handle = (checker: InvariantChecker, one: ObservedJob): void => {
  checker.started(1, one)
  checker.ended(1, one, one.offsets)
  for (const offset of one.offsets) checker.marked(1, spot, offset, false)
}

describe('what a running application is held against', () => {
  it('finds nothing in retries, batches, lanes, dead letters, crashes and rebalances as they are meant', () => {
    const violations = planted((checker) => {
      handle(checker, job(0))
      checker.committed(1, spot, 1)
      checker.started(1, job(1))
      checker.ended(1, job(1), [])
      checker.failed(spot, 1, 1, 'a')
      checker.started(1, job(1, '', 2))
      checker.ended(1, job(1, '', 2), [])
      checker.failed(spot, 1, 2, 'a')
      checker.settled(spot, 1)
      checker.committed(1, spot, 2)
      // Two keys at once.
      checker.started(1, job(2, 'a'))
      checker.started(1, job(3, 'b'))
      checker.ended(1, job(3, 'b'), [3])
      checker.ended(1, job(2, 'a'), [2])
      const batch = { ...spot, offsets: [4, 5, 6], scopes: ['', '', ''], attempt: 1 }
      checker.started(1, batch)
      checker.marked(1, spot, 4, false)
      checker.committed(1, spot, 5)
      checker.ended(1, batch, [5])
      checker.started(1, job(6))
      checker.crashed(1)
      checker.assigned(2, spot)
      checker.started(2, job(5))
      checker.ended(1, job(6), [6])
      checker.ended(2, job(5), [5])
      checker.released(2, spot)
      checker.assigned(3, spot)
      checker.started(3, job(6))
      checker.ended(3, job(6), [6])
      checker.accounted(spot, 7, [0, 1, 2, 3, 4, 5, 6], { fromFirstSeen: false })
    })
    assert.deepEqual(violations, [])
  })

  it('1: finds a commit that passes an unfinished message', () => {
    const violations = planted((checker) => {
      checker.started(1, job(4))
      checker.committed(1, spot, 5)
    })
    assert.deepEqual(violations, ['1: 5 was committed, and message 4 is not finished'])
  })

  it('1: finds a commit of what failed', () => {
    const violations = planted((checker) => {
      checker.started(1, job(4))
      checker.ended(1, job(4), [])
      checker.committed(1, spot, 5)
    })
    assert.deepEqual(violations, ['1: 5 was committed, and message 4 is not finished'])
  })

  it('2: finds a message that overtakes another of its partition, or of its key', () => {
    const overtaking = (first: string | null, second: string | null): readonly string[] =>
      planted((checker) => {
        checker.started(1, job(0, first))
        checker.ended(1, job(0, first), [])
        checker.started(1, job(1, second))
      })
    const found = ['2: message 1 was started while 0 was not finished']
    assert.deepEqual(overtaking('', ''), found)
    assert.deepEqual(overtaking('a', 'a'), found)
    assert.deepEqual(overtaking('a', 'b'), [])
    assert.deepEqual(overtaking(null, null), [])
  })

  it('3: finds two attempts at once, and one after the partition has gone', () => {
    const twice = planted((checker) => {
      checker.started(1, job(0))
      checker.started(1, job(0, '', 2))
    })
    assert.deepEqual(twice, ['3: message 0 is being handled twice at once'])
    const late = planted((checker) => {
      checker.released(1, spot)
      checker.started(1, job(0))
    })
    assert.deepEqual(late, ['3: message 0 was started after its partition was given back'])
  })

  it('3: lets a handler that was left behind go on beside the next attempt', () => {
    const violations = planted((checker) => {
      checker.started(1, job(0))
      checker.leftBehind(spot)
      checker.released(1, spot)
      checker.assigned(1, spot)
      checker.started(1, job(0))
    })
    assert.deepEqual(violations, [])
  })

  it('4: finds marks and commits out of their tenure, and two owners', () => {
    const violations = planted((checker) => {
      checker.assigned(2, spot)
      checker.released(1, spot)
      checker.marked(1, spot, 0, false)
      checker.committed(1, spot, 1)
    })
    assert.deepEqual(violations, [
      '4: belongs to two workers at once',
      '4: message 0 was marked after its partition was given back',
      '4: 1 was committed after the partition was given back',
    ])
  })

  it('5 and 8: finds a member that goes by itself, and a stop that is forced', () => {
    const violations = planted((checker) => {
      checker.leftGroup('mail')
      checker.forced(['mail orders/0:4 for 61 s'])
    })
    assert.deepEqual(violations, [
      '5: a member left mail although nobody stopped it',
      '8: a stop took longer than its limit; still running: mail orders/0:4 for 61 s',
    ])
  })

  it('6: finds an error that is told twice, or that is another one', () => {
    const violations = planted((checker) => {
      checker.failed(spot, 3, 1, 'a')
      checker.failed(spot, 3, 1, 'b')
      checker.failed(spot, 3, 1, 'a')
      checker.errorChanged(spot, 3)
    })
    assert.deepEqual(violations, [
      '6: the error of message 3, attempt 1, was told twice',
      "6: another error than the handler's was told for message 3",
    ])
  })

  it('7: finds a message that was passed in silence, unless a handler moved the position', () => {
    const skipping = (isMoved: boolean): readonly string[] =>
      planted((checker) => {
        handle(checker, job(0))
        if (isMoved) checker.moved(spot)
        handle(checker, job(2))
        checker.accounted(spot, 3, [0, 1, 2], { fromFirstSeen: false })
      })
    assert.deepEqual(skipping(false), [
      '7: 3 is committed, and message 1 was neither handled nor skipped nor dead-lettered',
    ])
    assert.deepEqual(skipping(true), [])
  })
})
