import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { globMatcher } from './glob.ts'

describe('patterns of names', () => {
  it('match as in Redis', () => {
    const cases: [glob: string, matches: string[], others: string[]][] = [
      ['*', ['', 'orders'], []],
      ['orders', ['orders'], ['order', 'orderss']],
      ['o*s', ['os', 'orders'], ['o', 'ordersx']],
      ['h?llo', ['hello', 'hallo'], ['hllo']],
      ['h[ae]llo', ['hello', 'hallo'], ['hillo']],
      ['h[^e]llo', ['hallo'], ['hello']],
      ['h[a-b]llo', ['hallo', 'hbllo'], ['hcllo']],
      ['h[b-a]llo', ['hallo', 'hbllo'], ['hcllo']],
      [String.raw`a\*b`, ['a*b'], ['axb']],
      ['a.b', ['a.b'], ['axb']],
      ['*a*b', ['ab', 'xaxxb', 'abab'], ['aba']],
      ['[', [], ['', '[']],
      ['', [''], ['a']],
    ]
    for (const [glob, matches, others] of cases) {
      const isMatch = globMatcher(glob)
      for (const name of matches) assert.equal(isMatch(name), true, `${glob} ${name}`)
      for (const name of others) assert.equal(isMatch(name), false, `${glob} ${name}`)
    }
  })

  it('end soon, whatever the pattern', () => {
    assert.equal(globMatcher('a*'.repeat(100) + 'b')('a'.repeat(249)), false)
  })
})
