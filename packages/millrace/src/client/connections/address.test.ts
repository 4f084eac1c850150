import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from '../../errors/index.ts'
import { formatAddress, parseAddress } from './address.ts'

describe('broker addresses', () => {
  it('are read as people write them', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['localhost', 'localhost:9092'],
      ['kafka.example.org:1234', 'kafka.example.org:1234'],
      [' 10.0.0.1:9093 ', '10.0.0.1:9093'],
      ['[::1]:9092', '[::1]:9092'],
      ['[2001:db8::7]', '[2001:db8::7]:9092'],
      ['kafka+ssl://ec2-1.example.org:9096', 'ec2-1.example.org:9096'],
    ]
    for (const [text, expected] of cases) assert.equal(formatAddress(parseAddress(text)), expected)
  })

  it('are refused with their text when they are none', () => {
    for (const text of ['', 'a b', 'host:', 'host:0', 'host:70000', 'a:1:2', 'host:port']) {
      assert.throws(
        () => parseAddress(text),
        (error) => isFailure(error, 'MR_CLIENT_ADDRESS_INVALID'),
        text,
      )
    }
  })
})
