import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { matching, patternsOf } from './topic-patterns.ts'

describe('topics by regular expressions', () => {
  it('are those that match one of them', () => {
    const patterns = patternsOf(['plain', '^a', '^.*z$'])
    assert.deepEqual(matching(patterns, ['plain', 'ab', 'ba', 'xz', 'a']), ['ab', 'xz', 'a'])
  })

  it('are none without an expression', () => {
    assert.deepEqual(matching(patternsOf(['a']), ['a']), [])
  })

  it('are refused for an expression that is none', () => {
    assert.throws(() => patternsOf(['^(']), SyntaxError)
  })

  it('do not hold the process up, whatever the expression', () => {
    const start = performance.now()
    const patterns = patternsOf(['^(([a-z])+.)+[A-Z]([a-z])+$'])
    assert.equal(matching(patterns, ['a'.repeat(100)]), undefined)
    assert.ok(performance.now() - start < 5000)
    assert.deepEqual(matching(patternsOf(['^a']), ['ab']), ['ab'])
  })
})
