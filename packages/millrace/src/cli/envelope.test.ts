import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { fromEnvelope, toEnvelope } from './envelope.ts'

describe('an envelope', () => {
  it('brings keys, values, headers and timestamps back byte for byte', () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)))
    const message = fc.record(
      {
        key: bytes,
        value: bytes,
        timestamp: fc.nat(),
        headers: fc.array(fc.tuple(fc.string(), bytes), { maxLength: 4 }),
      },
      { noNullPrototype: true },
    )
    fc.assert(
      fc.property(message, (one) => {
        const line = JSON.stringify(toEnvelope({ ...one, topic: 't', partition: 0, offset: 1 }))
        assert.deepEqual(fromEnvelope(line), one)
      }),
    )
  })

  it('is refused by name when a line is none', () => {
    assert.throws(() => fromEnvelope('{'), { code: 'MR_CLI_INPUT' })
    assert.throws(() => fromEnvelope('{"key":"a"}'), { code: 'MR_CLI_INPUT' })
  })
})
