import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure } from '../errors/index.ts'
import { exitCodeOf } from './exit-code.ts'

describe('an exit code', () => {
  it('is 2 for a command line that must change, else 1', () => {
    assert.equal(exitCodeOf(failure('MR_CLI_USAGE', { reason: 'x' })), 2)
    assert.equal(exitCodeOf(failure('MR_CLI_CONFIRMATION_MISSING', { what: 'x' })), 2)
    assert.equal(exitCodeOf(failure('MR_CLI_TOPIC_UNKNOWN', { topic: 'x' })), 1)
    assert.equal(exitCodeOf(failure('MR_CONFIG_INVALID', { faults: ['x'] })), 1)
    assert.equal(exitCodeOf(new Error('x')), 1)
  })
})
