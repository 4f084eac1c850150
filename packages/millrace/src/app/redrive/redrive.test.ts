import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { deadLetterOf } from '../dead-letter/policy.ts'
import type { Header, SourceMessage } from '../ports.ts'
import { isChosen, jobGroup } from './choose.ts'
import { copyOf } from './copy.ts'
import { readLetter, type RawLetter } from './letter.ts'
import type { LetterChoice } from './options.ts'

const source: SourceMessage = {
  topic: 'users',
  partition: 3,
  offset: 42,
  timestamp: 1_700_000_000_000,
  timestampType: 'create',
  key: Buffer.from([0xff, 0x00]),
  value: Buffer.from('not json'),
  headers: [
    ['trace', Buffer.from('a')],
    ['trace', Buffer.from('b')],
    ['millrace-id', Buffer.from('id-1')],
  ],
  receivedAt: 0,
}

/** As it lies in the dead letter topic. */
function died(message: SourceMessage, key: 'same' | 'unique' = 'same'): RawLetter {
  const letter = deadLetterOf(
    message,
    {
      group: 'mail',
      consumer: 'users',
      attempts: 4,
      reason: 'error',
      error: Object.assign(new TypeError('no such customer'), { code: 'E_CUSTOMER' }),
      firstFailedAtMs: 1,
      failedAtMs: 2,
      worker: 'host-1',
    },
    { topic: 'users-dlt', partition: 3, headers: 'full', key, withStack: true, more: {} },
  )
  return {
    topic: 'users-dlt',
    partition: 3,
    offset: 7,
    timestamp: 1_700_000_100_000,
    key: letter.key === null ? null : Buffer.from(letter.key ?? ''),
    value: message.value,
    headers: (letter.headers ?? []).map(([name, value]): Header => [
      name,
      value === null ? null : Buffer.from(value),
    ]),
  }
}

const back = { to: 'users', onlyGroup: true }
const headersOf = ({ headers = [] }: ReturnType<typeof copyOf>): Record<string, string> =>
  Object.fromEntries(headers.map(([name, value]) => [name, String(value)]))

describe('a redriven letter', () => {
  it('is the message again, byte for byte, with its failure renamed', () => {
    const raw = died(source)
    const copy = copyOf(raw, readLetter(raw), back)
    assert.deepEqual(copy.key, source.key)
    assert.deepEqual(copy.value, source.value)
    assert.equal(copy.topic, 'users')
    assert.equal(copy.partition, 3)
    assert.deepEqual(copy.headers?.slice(0, 2), source.headers.slice(0, 2))
    const headers = headersOf(copy)
    assert.equal(headers['millrace-id'], 'id-1')
    assert.equal(headers['millrace-redrives'], '1')
    assert.equal(headers['millrace-only-group'], 'mail')
    assert.equal(headers['millrace-last-error-code'], 'E_CUSTOMER')
    assert.equal(headers['millrace-last-source-offset'], '42')
    assert.equal(headers['millrace-error-code'], undefined)
    assert.equal(headers['millrace-source-offset'], undefined)
  })

  it('dies again under its new coordinates, and counts its redrives', () => {
    const first = died(source)
    const copy = copyOf(first, readLetter(first), back)
    const headers = (copy.headers ?? []).map(([name, value]): Header => [
      name,
      value === null ? null : Buffer.from(value),
    ])
    const again = died({ ...source, offset: 50, headers })
    assert.equal(readLetter(again).sourceOffset, 50)
    assert.equal(readLetter(again).redrives, 1)
    assert.equal(readLetter(again).id, 'id-1')
    const second = headersOf(copyOf(again, readLetter(again), back))
    assert.equal(second['millrace-redrives'], '2')
    assert.equal(second['millrace-last-source-offset'], '50')
    const once = copyOf(again, readLetter(again), back).headers?.filter(
      ([name]) => name === 'millrace-last-reason',
    )
    assert.equal(once?.length, 1, 'what an earlier redrive renamed is replaced')
  })

  it('gets its own key back', () => {
    const raw = died(source, 'unique')
    assert.equal(String(raw.key), 'users/3/42')
    const copy = copyOf(raw, readLetter(raw), back)
    assert.deepEqual(copy.key, source.key)
    assert.equal(headersOf(copy)['millrace-source-key'], undefined)
    const keyless = died({ ...source, key: null }, 'unique')
    assert.equal(copyOf(keyless, readLetter(keyless), back).key, null)
  })

  it('goes by its key to any other topic, and to every group when asked', () => {
    const raw = died(source)
    const copy = copyOf(raw, readLetter(raw), { to: 'repair', onlyGroup: false })
    assert.equal(copy.partition, undefined)
    assert.equal(headersOf(copy)['millrace-only-group'], undefined)
  })
})

describe('the choice of letters', () => {
  const raw = died(source)
  const chooses = (choice: LetterChoice): boolean => isChosen(raw, readLetter(raw), choice)

  it('takes all that fit everything given', () => {
    const at = new Date(raw.timestamp)
    const later = new Date(raw.timestamp + 1)
    for (const [choice, expected] of [
      [{}, true],
      [{ partitions: [3] }, true],
      [{ partitions: [0, 1] }, false],
      [{ offsets: { from: 7, to: 7 } }, true],
      [{ offsets: { from: 8 } }, false],
      [{ offsets: { to: 6 } }, false],
      [{ time: { from: at, before: later } }, true],
      [{ time: { before: at } }, false],
      [{ time: { from: later } }, false],
      [{ error: 'E_CUSTOMER' }, true],
      [{ error: 'TypeError' }, true],
      [{ error: 'RangeError' }, false],
      [{ reason: 'error', group: 'mail' }, true],
      [{ reason: 'error', group: 'billing' }, false],
      [{ headers: { trace: 'b' } }, true],
      [{ headers: { trace: 'a' } }, false],
      [{ key: 'other' }, false],
    ] as const satisfies readonly (readonly [LetterChoice, boolean])[])
      assert.equal(chooses(choice), expected, JSON.stringify(choice))
  })

  it('is one job however it is written, and another choice is another job', () => {
    const from = 'users-dlt'
    const one = jobGroup({ from, where: { error: 'E', group: 'mail' } })
    assert.equal(jobGroup({ from, where: { group: 'mail', error: 'E' }, rate: 5 }), one)
    assert.match(one, /^millrace-redrive-users-dlt-[\da-f]{8}$/)
    assert.notEqual(jobGroup({ from, where: { error: 'E' } }), one)
    assert.notEqual(jobGroup({ from, to: 'repair', where: { error: 'E', group: 'mail' } }), one)
    assert.equal(jobGroup({ from, job: 'friday' }), 'millrace-redrive-users-dlt-friday')
  })
})
