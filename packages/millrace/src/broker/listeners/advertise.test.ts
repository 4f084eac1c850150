import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { isFailure } from '../../errors/index.ts'
import { advertisedTo, parseAdvertised } from './advertise.ts'

const from = (localAddress: string): Socket => ({ localAddress }) as Socket

describe('advertised address', () => {
  it('reads host, host:port and IPv6', () => {
    assert.deepEqual(parseAdvertised('broker', 9092), { host: 'broker', port: 9092 })
    assert.deepEqual(parseAdvertised('broker:19', 9092), { host: 'broker', port: 19 })
    assert.deepEqual(parseAdvertised('[fe80::1]:19', 9092), { host: 'fe80::1', port: 19 })
    assert.deepEqual(parseAdvertised('::1', 9092), { host: '::1', port: 9092 })
    for (const wrong of ['', ':9', 'a:b', 'a:0', 'a:70000', '0.0.0.0:9092', '::', 'http://a:1'])
      assert.throws(
        () => parseAdvertised(wrong, 9092),
        (error) => isFailure(error, 'MR_BROKER_ADVERTISED'),
        wrong,
      )
  })

  it('names localhost to this machine, and the address they came in by to others', () => {
    const options = { advertised: undefined, loopbackName: 'localhost' }
    assert.equal(advertisedTo(from('127.0.0.1'), 9, options).host, 'localhost')
    assert.equal(advertisedTo(from('::1'), 9, options).host, 'localhost')
    assert.equal(advertisedTo(from('::ffff:127.0.0.1'), 9, options).host, 'localhost')
    assert.deepEqual(advertisedTo(from('::ffff:10.0.0.5'), 9, options), {
      host: '10.0.0.5',
      port: 9,
    })
    const fixed = { host: 'broker', port: 1 }
    assert.equal(advertisedTo(from('10.0.0.5'), 9, { ...options, advertised: fixed }), fixed)
  })
})
