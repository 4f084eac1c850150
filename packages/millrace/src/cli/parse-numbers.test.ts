import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parseNumbers } from './parse-numbers.ts'

describe('a list of numbers', () => {
  it('holds single ones and ranges', () => {
    assert.equal(parseNumbers('--partition', undefined), undefined)
    assert.deepEqual([...parseNumbers('--partition', ['0,3-5', '9'])!], [0, 3, 4, 5, 9])
  })

  it('is refused with its flag when it is none', () => {
    for (const text of ['', 'a', '5-3', '-1', '0-99999999999'])
      assert.throws(() => parseNumbers('--partition', [text]), /--partition/)
  })
})
