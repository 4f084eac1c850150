import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure, isFailure } from '../../errors/index.ts'
import { errorFromWire, errorToWire } from './wire-error.ts'

class CardRefused extends RangeError {
  readonly code = 'E_CARD'
}

const cross = (error: unknown, known?: ReadonlyMap<string, object>): Error =>
  errorFromWire(structuredClone(errorToWire(error)), known)

describe('an error that crosses to another thread', () => {
  it('of ours is one again, with code, class, context and hint', () => {
    const at = { topic: 't', partition: 1, offset: 7, part: 'value', reason: 'no' }
    const cause = new Error('beneath')
    const error = failure('MR_APP_UNDECODABLE', at, { cause })
    const crossed = cross(error)
    assert.ok(isFailure(crossed, 'MR_APP_UNDECODABLE'))
    assert.deepEqual(
      [crossed.name, crossed.message, crossed.context, crossed.hint, crossed.stack],
      [error.name, error.message, at, error.hint, error.stack],
    )
    assert.equal((crossed.cause as Error).message, 'beneath')
  })

  it('of yours has its name, text, stack, code and cause; its class where that is known', () => {
    const error = new CardRefused('limit', { cause: new TypeError('why') })
    const plain = cross(error)
    assert.ok(!(plain instanceof RangeError))
    assert.deepEqual(
      [plain.name, plain.message, plain.stack, (plain as { code?: unknown }).code],
      ['RangeError', 'limit', error.stack, 'E_CARD'],
    )
    assert.equal((plain.cause as Error).name, 'TypeError')
    const known = new Map<string, object>([['CardRefused', CardRefused.prototype]])
    assert.ok(cross(error, known) instanceof CardRefused)
    // A base class in the list matches, as instanceof would.
    assert.ok(cross(error, new Map([['RangeError', RangeError.prototype]])) instanceof RangeError)
  })

  it('may be anything that was thrown, and refer to itself', () => {
    assert.equal(cross('text').message, 'text')
    assert.equal(cross({ secret: 1 }).message, 'something that is no error was thrown: object')
    const error = new Error('loop')
    error.cause = error
    assert.equal(cross(error).message, 'loop')
    const unclonable = failure('MR_APP_UNENCODABLE', {
      topic: 't',
      part: 'key',
      reason: 'x',
      own: () => {},
    } as never)
    assert.equal(cross(unclonable).message, unclonable.message)
  })
})
