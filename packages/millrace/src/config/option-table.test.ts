import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { defineOptions, resolveOptions } from './option-table.ts'

const table = defineOptions({
  'fetch.buffered': {
    type: 'size',
    default: '64MiB',
    env: 'MR_BUFFERED',
    flag: '--fetch-buffered',
    about: 'bytes',
  },
  session: { type: 'duration', default: '45s', about: 'time' },
  brokers: { type: 'list', env: 'MR_BROKERS', about: 'addresses' },
  isQuiet: { type: 'flag', default: false, about: 'silence' },
  mode: { type: 'text', default: 'a', choices: ['a', 'b'], about: 'choice' },
})

describe('options', () => {
  it('take flag before environment before file before default, and say which', () => {
    const { values, origins, faults } = resolveOptions(table, {
      flags: { 'fetch.buffered': '1MiB' },
      env: { MR_BUFFERED: '2MiB', MR_BROKERS: 'a:1, b:2' },
      file: { fetch: { buffered: '3MiB' }, session: '10s' },
    })
    assert.deepEqual(faults, [])
    assert.equal(values['fetch.buffered'], 1_048_576)
    assert.equal(values.session, 10_000)
    assert.deepEqual(values.brokers, ['a:1', 'b:2'])
    assert.equal(values.isQuiet, false)
    assert.deepEqual(origins, {
      'fetch.buffered': 'flag',
      session: 'file',
      brokers: 'env',
      isQuiet: 'default',
      mode: 'default',
    })
  })

  it('are typed by their rows', () => {
    const { values } = resolveOptions(table, {})
    const size: number = values['fetch.buffered']
    // @ts-expect-error an option without a default may be unset
    const brokers: readonly string[] = values.brokers
    assert.equal(size, 67_108_864)
    assert.equal(brokers, undefined)
  })

  it('report every fault at once, each with its path and the nearest known key', () => {
    const { faults } = resolveOptions(table, {
      env: { MR_BUFFERED: 'big' },
      file: { sesion: '10s', mode: 'c', isQuiet: 'maybe' },
    })
    assert.deepEqual(faults, [
      'sesion: there is no such option; did you mean session?',
      'MR_BUFFERED: big is not a size; write 64MiB or 1GB',
      'isQuiet: maybe is neither true nor false',
      'mode: c is not one of a, b',
    ])
  })
})
