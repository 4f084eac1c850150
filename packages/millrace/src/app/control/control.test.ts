import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { isFailure } from '../../errors/index.ts'
import { parseRequest } from './messages.ts'
import { addPause, isPaused, removePause, type KeptPause } from './pauses.ts'
import { isWorkerNamed, memberNameOf, parseWorkerName, workerTitle } from './worker-name.ts'

describe('a worker’s name', () => {
  it('is a consumer and its instance', () => {
    const name = parseWorkerName('price_drops:1')
    assert.deepEqual(name, { consumer: 'price_drops', instance: '1' })
    assert.equal(memberNameOf(name, 'web-3'), 'web-3-price_drops-1')
    assert.equal(workerTitle(name), 'price_drops:1')
    assert.deepEqual(parseWorkerName('mail'), { consumer: 'mail', instance: undefined })
    assert.equal(memberNameOf(parseWorkerName('mail'), 'web-3'), 'web-3-mail')
  })

  it('is refused when it is malformed', () => {
    for (const text of ['', ':', 'a:', ':1', 'a:1:2', 'a b:1', 'a/b', '-a', 'a:-1', 'ä'])
      assert.throws(
        () => parseWorkerName(text),
        (error: unknown) => isFailure(error, 'MR_CLI_USAGE') && error.message.includes(text),
        text,
      )
  })

  it('means the same with _ and -, and all instances without one', () => {
    assert.ok(isWorkerNamed('price_drops:1', 'price-drops:1'))
    assert.ok(isWorkerNamed('price-drops:2', 'price_drops'))
    assert.ok(!isWorkerNamed('price_drops:10', 'price_drops:1'))
    assert.ok(!isWorkerNamed('price_drops_b:1', 'price_drops'))
  })
})

describe('pauses from outside', () => {
  const place = { topic: 'orders', partition: 1, group: 'mail' }

  it('cover a topic, or a partition, of one group or all', () => {
    const covering: readonly KeptPause[] = [
      { topic: 'orders' },
      { topic: 'orders', partition: 1 },
      { topic: 'orders', group: 'mail' },
      place,
    ]
    for (const pause of covering) assert.ok(isPaused([pause], place))
    const others: readonly KeptPause[] = [
      { topic: 'users' },
      { topic: 'orders', partition: 0 },
      { topic: 'orders', group: 'search' },
    ]
    for (const pause of others) assert.ok(!isPaused([pause], place))
  })

  it('are kept once and end with what covers them', () => {
    const twice = addPause(addPause([], place), place)
    assert.deepEqual(twice, [place])
    assert.deepEqual(removePause([place, { topic: 'users' }], { topic: 'orders' }), [
      { topic: 'users' },
    ])
    assert.deepEqual(removePause([{ topic: 'orders' }], { topic: 'orders', partition: 3 }), [])
    const other = { topic: 'orders', partition: 2 }
    assert.deepEqual(removePause([other], { topic: 'orders', partition: 3 }), [other])
  })
})

describe('a control request', () => {
  it('is one of a closed list, or none', () => {
    assert.deepEqual(parseRequest('{"do":"quiet","more":1}'), { do: 'quiet' })
    assert.deepEqual(parseRequest('{"do":"stop","isForced":"yes"}'), {
      do: 'stop',
      isForced: false,
    })
    for (const line of ['', 'null', '[]', '{"do":"kill"}', '{"do":{}}', '{'])
      assert.equal(parseRequest(line), undefined, line)
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const request = parseRequest(JSON.stringify(value) ?? '')
        assert.ok(request === undefined || typeof request.do === 'string')
      }),
    )
  })
})
