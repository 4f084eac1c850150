import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import type { Header, SourceMessage } from '../ports.ts'
import { DueIndex } from './due-index.ts'
import { readEnvelope, writeCancel, writeEnvelope } from './envelope.ts'

type Written = ReturnType<typeof writeEnvelope>

/** A log that grows, and records as they come back from it. */
function log(): { readonly put: (key: string, written: Written | null) => SourceMessage } {
  let offset = 0
  return {
    put: (key, written) => ({
      topic: 'later',
      partition: 0,
      offset: offset++,
      timestamp: 0,
      timestampType: 'create',
      key: Buffer.from(key),
      value: written === null ? null : written.value,
      headers: (written?.headers ?? []).map(([name, content]): Header => [
        name,
        content === null ? null : Buffer.from(content),
      ]),
      receivedAt: 0,
    }),
  }
}

const envelope = (id: string, dueMs: number): Written =>
  writeEnvelope({ id, dueMs, message: { topic: 'orders', value: id } })

const taken = (index: DueIndex, nowMs: number): readonly string[] => {
  const ids: string[] = []
  for (let entry = index.take(nowMs); entry !== undefined; entry = index.take(nowMs)) {
    ids.push(entry.id)
    index.remove(entry)
  }
  return ids
}

describe('what waits in a partition', () => {
  it('is due in order of time, then as it was given', () => {
    const { put } = log()
    const index = new DueIndex()
    for (const [id, dueMs] of [
      ['b', 20],
      ['a', 10],
      ['c', 20],
      ['d', 30],
    ] as const)
      index.add(put(`${id}/1`, envelope(id, dueMs)))
    assert.equal(index.nextMs, 10)
    assert.deepEqual(taken(index, 20), ['a', 'b', 'c'])
    assert.equal(index.nextMs, 30)
  })

  it('is replaced by the same id, and the old record is garbage', () => {
    const { put } = log()
    const index = new DueIndex()
    index.add(put('a/1', envelope('a', 10)))
    index.add(put('a/2', envelope('a', 50)))
    assert.equal(index.nextMs, 50)
    assert.deepEqual(index.takeGarbage(), ['a/1'])
    // The tombstone of the old one does not end the new one.
    index.add(put('a/1', null))
    assert.deepEqual(taken(index, 50), ['a'])
  })

  it('is ended by a cancel, or by the tombstone of what was sent', () => {
    const { put } = log()
    const index = new DueIndex()
    index.add(put('a/1', envelope('a', 10)))
    index.add(put('a/2', writeCancel('a')))
    index.add(put('b/1', envelope('b', 10)))
    index.add(put('b/1', null))
    assert.equal(index.size, 0)
    assert.equal(index.nextMs, undefined)
    assert.deepEqual(index.takeGarbage(), ['a/1', 'a/2'])
    index.add(put('a/3', envelope('a', 20)))
    assert.deepEqual(taken(index, 20), ['a'])
  })

  it('ends the same, whatever of it was ended and compacted away before it was read', () => {
    const action = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      kind: fc.constantFrom('send', 'send', 'cancel', 'tombstone'),
      dueMs: fc.nat(20),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const { put } = log()
        const records: SourceMessage[] = []
        const live = new DueIndex()
        const write = (key: string, written: Written | null): void => {
          const record = put(key, written)
          records.push(record)
          live.add(record)
        }
        for (const [count, { id, kind, dueMs }] of actions.entries()) {
          if (kind === 'send') write(`${id}/${count}`, envelope(id, dueMs))
          else if (kind === 'cancel') write(`${id}/${count}`, writeCancel(id))
          // The owner tidies up at some time or other.
          else for (const key of live.takeGarbage()) write(key, null)
        }
        const newest = new Map(records.map((record) => [String(record.key), record.offset]))
        const compacted = records.filter(({ key, offset }) => newest.get(String(key)) === offset)
        const later = new DueIndex()
        for (const record of compacted) later.add(record)
        assert.deepEqual(taken(later, 20), taken(live, 20))
      }),
    )
  })

  it('is sent as it was given: bytes, key, headers with repeats, partition, no value', () => {
    const { put } = log()
    const message = {
      topic: 'orders',
      partition: 3,
      key: Buffer.from([0, 255]),
      value: null,
      headers: [
        ['a', '1'],
        ['a', Buffer.from([1])],
        ['millrace-id', 'x'],
        ['n', null],
      ] as const,
      timestamp: 7,
    }
    const read = readEnvelope(put('a/1', writeEnvelope({ id: 'a', dueMs: 1, message })))
    assert.deepEqual(read, {
      ...message,
      headers: message.headers.map(([name, content]) => [
        name,
        content === null ? null : Buffer.from(content),
      ]),
    })
  })
})
