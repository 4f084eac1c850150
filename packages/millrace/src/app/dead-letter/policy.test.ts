import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { SourceMessage } from '../ports.ts'
import type { DeadLetterInfo } from './options.ts'
import { deadLetterOf, StormWatch } from './policy.ts'

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
    ['empty', null],
  ],
  receivedAt: 0,
}

const info: DeadLetterInfo = {
  group: 'mail',
  consumer: 'users',
  attempts: 4,
  reason: 'error',
  error: new TypeError('no such customer'),
  firstFailedAtMs: 1,
  failedAtMs: 2,
  worker: 'host-1',
}

const envelope = {
  topic: 'users-dlt',
  partition: 3,
  headers: 'full',
  withStack: true,
  more: {},
} as const

const valueOf = (letter: ReturnType<typeof deadLetterOf>, name: string): string | undefined =>
  letter.headers?.findLast(([own]) => own === name)?.[1]?.toString()

describe('dead letter', () => {
  it('keeps the bytes of key and value and every header, repeats included', () => {
    const letter = deadLetterOf(source, info, envelope)
    assert.equal(letter.key, source.key)
    assert.equal(letter.value, source.value)
    assert.deepEqual(letter.headers?.slice(0, 3), source.headers)
    assert.equal(letter.partition, 3)
  })

  it('says where the message came from and why', () => {
    const letter = deadLetterOf(source, info, envelope)
    assert.equal(valueOf(letter, 'millrace-id'), 'users/3/42')
    assert.equal(valueOf(letter, 'millrace-source-topic'), 'users')
    assert.equal(valueOf(letter, 'millrace-source-partition'), '3')
    assert.equal(valueOf(letter, 'millrace-source-offset'), '42')
    assert.equal(valueOf(letter, 'millrace-attempts'), '4')
    assert.equal(valueOf(letter, 'millrace-error-class'), 'TypeError')
    assert.equal(valueOf(letter, 'millrace-error-message'), 'no such customer')
    assert.match(valueOf(letter, 'millrace-error-stack') ?? '', /policy\.test/)
  })

  it('keeps the id over a second death and replaces the other headers', () => {
    const first = deadLetterOf(source, info, envelope)
    const headers = first.headers?.map(([name, value]) => [name, Buffer.from(value ?? '')] as const)
    const again = deadLetterOf(
      { ...source, topic: 'users-dlt', headers: headers ?? [] },
      info,
      envelope,
    )
    assert.equal(valueOf(again, 'millrace-id'), 'users/3/42')
    assert.equal(valueOf(again, 'millrace-source-topic'), 'users-dlt')
    assert.equal(again.headers?.filter(([name]) => name === 'millrace-source-topic').length, 1)
  })

  it('cuts long texts between characters', () => {
    const error = new Error('ä'.repeat(2000))
    const text = valueOf(
      deadLetterOf(source, { ...info, error }, envelope),
      'millrace-error-message',
    )
    assert.equal(text, 'ä'.repeat(512))
  })

  it('takes more letters than the window allows for a storm', () => {
    const watch = new StormWatch({ limit: 2, perMs: 1000, pauseMs: 1 })
    assert.deepEqual(
      [0, 10, 2000, 2001, 2002].map((at) => watch.isStorm(at)),
      [false, false, false, false, true],
    )
  })
})
