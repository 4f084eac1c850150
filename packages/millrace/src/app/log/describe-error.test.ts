import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure } from '../../errors/index.ts'
import { describeError } from './describe-error.ts'

const inOurs = new URL('../worker/worker.ts', import.meta.url).href

function thrownAt<E extends Error>(error: E, ...files: readonly string[]): E {
  const frames = files.map((file) => `    at f (${file}:1:1)`)
  error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n')
  return error
}

const stackOf = (error: unknown): string => (describeError(error) as { stack: string }).stack

describe('an error in a log line', () => {
  it('shows of a handler’s stack what its author can change', () => {
    const error = thrownAt(new RangeError('negative'), 'file:///app/mail.ts', inOurs)
    assert.equal(stackOf(error), 'RangeError: negative\n    at f (file:///app/mail.ts:1:1)')
  })

  it('needs no stack of ours where code and hint say it all', () => {
    const cause = thrownAt(new SyntaxError('no JSON'), inOurs)
    const where = { part: 'value', topic: 'orders', partition: 0, offset: 1, reason: 'no JSON' }
    const error = thrownAt(failure('MR_APP_UNDECODABLE', where, { cause }), inOurs)
    assert.equal(stackOf(error), `CodecError: ${error.message}\ncaused by SyntaxError: no JSON`)
    assert.ok(!('context' in describeError(error)), 'where messages may lie')
  })

  it('keeps every line where the fault is ours', () => {
    const error = thrownAt(new TypeError('x is undefined'), inOurs, 'file:///app/mail.ts')
    assert.equal(stackOf(error), error.stack)
  })

  it('takes whatever was thrown', () => {
    assert.deepEqual(describeError('no'), { type: 'string', message: 'no', stack: '' })
  })
})
