import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { SourceMessage } from '../ports.ts'
import type { DeadLetterInfo } from './options.ts'
import { deadLetterOf, StormWatch } from './policy.ts'
import { deadLetterCycleFaults } from './validate.ts'

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
  key: 'same',
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

  it('carries the trace of the message and how often it was redriven', () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const headers = [
      ['traceparent', Buffer.from(`00-${trace}-00f067aa0ba902b7-01`)],
      ['millrace-redrives', Buffer.from('2')],
      ['millrace-only-group', Buffer.from('mail')],
    ] as const
    const letter = deadLetterOf({ ...source, headers }, info, envelope)
    assert.equal(valueOf(letter, 'millrace-trace-id'), trace)
    assert.equal(valueOf(letter, 'millrace-redrives'), '2')
    assert.equal(valueOf(letter, 'millrace-only-group'), undefined, 'was about that copy')
    assert.equal(valueOf(deadLetterOf(source, info, envelope), 'millrace-redrives'), '0')
  })

  it('of a retry copy says where the message lay at first, and counts all attempts', () => {
    const headers = [
      ['millrace-retry-at', Buffer.from('9')],
      ['millrace-copy-in', Buffer.from('users')],
      ['millrace-source-topic', Buffer.from('orders')],
      ['millrace-source-partition', Buffer.from('1')],
      ['millrace-source-offset', Buffer.from('7')],
      ['millrace-source-timestamp', Buffer.from('1600000000000')],
      ['millrace-attempts', Buffer.from('2')],
      ['millrace-first-failed-at', Buffer.from('1600000000001')],
    ] as const
    const letter = deadLetterOf({ ...source, headers }, info, envelope)
    assert.equal(valueOf(letter, 'millrace-id'), 'orders/1/7')
    assert.equal(valueOf(letter, 'millrace-source-topic'), 'orders')
    assert.equal(valueOf(letter, 'millrace-source-partition'), '1')
    assert.equal(valueOf(letter, 'millrace-source-offset'), '7')
    assert.equal(valueOf(letter, 'millrace-source-timestamp'), '1600000000000')
    assert.equal(valueOf(letter, 'millrace-attempts'), '6')
    assert.equal(valueOf(letter, 'millrace-first-failed-at'), '1600000000001')
    assert.equal(valueOf(letter, 'millrace-retry-at'), undefined)
    const sentOn = deadLetterOf({ ...source, topic: 'bills', headers }, info, envelope)
    assert.equal(
      valueOf(sentOn, 'millrace-source-topic'),
      'bills',
      'its headers came from elsewhere',
    )
    assert.equal(valueOf(sentOn, 'millrace-attempts'), '4')
  })

  it('may have a key that no other letter has, and keeps its own in a header', () => {
    const letter = deadLetterOf(source, info, { ...envelope, key: 'unique' })
    assert.equal(letter.key, 'users/3/42')
    const kept = letter.headers?.find(([name]) => name === 'millrace-source-key')?.[1]
    assert.deepEqual(kept, source.key)
  })

  it('says little when told to', () => {
    const letter = deadLetterOf(source, info, { ...envelope, headers: 'minimal' })
    const own = letter.headers?.map(([name]) => name).filter((name) => name.startsWith('millrace-'))
    assert.deepEqual(own, [
      'millrace-id',
      'millrace-source-topic',
      'millrace-source-partition',
      'millrace-source-offset',
      'millrace-group',
    ])
  })

  it('takes more headers and another key', () => {
    const more = { headers: { tenant: 'a' }, key: 'other' }
    const letter = deadLetterOf(source, info, { ...envelope, more })
    assert.equal(letter.key, 'other')
    assert.equal(valueOf(letter, 'tenant'), 'a')
    assert.equal(deadLetterOf(source, info, { ...envelope, more: { key: null } }).key, null)
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

describe('dead letter topics of an app', () => {
  it('may follow each other, but not in a circle', () => {
    const consumer = (
      name: string,
      from: string,
      topic: string,
    ): Parameters<typeof deadLetterCycleFaults>[0][number] => ({
      name,
      letters: [{ topic, source: from }],
    })
    const chain = [consumer('a', 'orders', 'x'), consumer('b', 'x', 'y'), consumer('c', 'q', 'y')]
    assert.deepEqual(deadLetterCycleFaults(chain), [])
    assert.deepEqual(deadLetterCycleFaults([...chain, consumer('d', 'y', 'orders')]), [
      'consumers.d.deadLetter.topic: dead letters would go round: orders -> x -> y -> orders',
    ])
  })
})
