import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { ConfigError, failure, isFailure, MillraceError, StorageError } from './millrace-error.ts'
import { errorTable } from './table.ts'

describe('errors', () => {
  it('carry code, hint, context and cause, and are of the class of their row', () => {
    const cause = new Error('below')
    const error = failure('MR_CONFIG_INVALID', { faults: ['a: wrong'] }, { cause })
    assert.equal(error.code, 'MR_CONFIG_INVALID')
    assert.equal(error.cause, cause)
    assert.equal(error.name, 'ConfigError')
    assert.match(error.message, /a: wrong/)
    assert.equal(error instanceof ConfigError, true)
    assert.equal(error instanceof StorageError, false)
    assert.equal(error instanceof MillraceError, true)
    assert.equal(isFailure(error, 'MR_CONFIG_INVALID'), true)
  })

  it('are recognised across two copies of the library', () => {
    const brand = Symbol.for('millrace.error')
    const foreign = { [brand]: 'StorageError' }
    assert.equal(foreign instanceof StorageError, true)
    assert.equal(foreign instanceof ConfigError, false)
    assert.equal({} instanceof MillraceError, false)
  })

  it('each say what to do', () => {
    for (const [code, row] of Object.entries(errorTable)) {
      assert.match(code, /^MR_[A-Z]+(_[A-Z0-9]+)+$/)
      assert.equal(row.hint.length > 10, true, code)
    }
  })
})
