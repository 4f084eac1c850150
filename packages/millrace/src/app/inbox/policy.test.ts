import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Message } from '../message/message.ts'
import { deadLetter, failed, retry, skip, stop } from '../outcome.ts'
import { isKept, sortMessages } from './policy.ts'
import { inboxFaults } from './validate.ts'

const message = (offset: number): Message => ({ offset }) as Message

describe('the inbox', () => {
  it('tells known messages from open ones, and the second of an id from the first', () => {
    const messages = [0, 1, 2, 3, 4].map(message)
    const sorted = sortMessages(messages, ['a', 'b', 'b', 'a', 'c'], new Set(['b', 'c']))
    assert.deepEqual(sorted.open, [messages[1], messages[4]])
    assert.deepEqual(sorted.known, [messages[0], messages[3]])
    assert.deepEqual(sorted.twins, [messages[2]])
  })

  it('keeps what is finished, and nothing that comes again', () => {
    assert.equal(isKept(undefined, 1), true)
    assert.equal(isKept(skip('not ours'), 1), true)
    for (const outcome of [retry(), deadLetter('no'), stop('no')])
      assert.equal(isKept(outcome, 1), false)
    const one = failed([{ message: message(0), error: new Error('no') }])
    assert.equal(isKept(one, 2), true, 'the other one is done')
    assert.equal(isKept(one, 1), false)
  })

  it('is refused where it could not hold its word', () => {
    const inbox = { kind: 'inbox' } as never
    const settings = { offsets: 'automatic', isThreaded: false } as const
    assert.deepEqual(inboxFaults(undefined, { ...settings, isThreaded: true }, 'a'), [])
    assert.deepEqual(inboxFaults(inbox, settings, 'a'), [])
    assert.match(inboxFaults({} as never, settings, 'a')[0] ?? '', /a\.inbox: is not what sqlInbox/)
    assert.match(
      inboxFaults(inbox, { offsets: 'manual', isThreaded: true }, 'a').join('\n'),
      /a\.offsets: manual contradicts inbox.*\na\.runIn: a transaction/,
    )
  })
})
