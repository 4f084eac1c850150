import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UserMetadata } from './metadata.ts'

describe('the metadata that a user gives', () => {
  it('speaks only of what the position has passed', () => {
    const metadata = new UserMetadata('before')
    metadata.note(7, 'seven')
    metadata.note(5, 'five')
    assert.equal(metadata.at(5), 'before')
    assert.equal(metadata.at(6), 'five')
    assert.equal(metadata.at(8), 'seven')
    assert.equal(metadata.at(9), 'seven')
    metadata.note(20, 'twenty')
    metadata.forgetFrom(10)
    assert.equal(metadata.at(30), 'seven')
  })
})
