import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  compareIds,
  formatEntryId,
  parsePlace,
  parseRangeEnd,
  readEntryId,
  type EntryId,
} from './entry-id.ts'

const read = (text: string): EntryId | undefined => readEntryId(Buffer.from(text))
const partitions = fc.integer({ min: 0, max: 2_147_483_647 })
const offsets = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 })

describe('entry ids', () => {
  it('read as what they were written from', () => {
    fc.assert(
      fc.property(partitions, offsets, (partition, offset) => {
        assert.deepEqual(read(formatEntryId(partition, offset)), {
          partition,
          position: offset + 1,
        })
      }),
    )
  })

  it('are never 0-0', () => {
    fc.assert(
      fc.property(partitions, offsets, (partition, offset) => {
        assert.notEqual(formatEntryId(partition, offset), '0-0')
      }),
    )
  })

  it('are refused or whole numbers, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        const id = readEntryId(Buffer.from(bytes))
        if (id === undefined) return
        assert.ok(Number.isSafeInteger(id.partition) && id.partition >= 0)
        assert.ok(Number.isSafeInteger(id.position) && id.position >= 0)
      }),
    )
    const bad = ['', '-', '1-', '-1', 'a-1', '1-a', '1-2-3', '1--2', ' 1-2', '2147483648-1']
    for (const text of [...bad, '1-9007199254740993', '+', '*', '1-2\r\n'])
      assert.equal(read(text), undefined, text)
  })

  it('sort by partition, then by offset', () => {
    const ids = ['1-5', '0-9', '1-1', '0-10'].map((text) => read(text)!)
    const sorted = ids.toSorted(compareIds).map((id) => `${id.partition}-${id.position}`)
    assert.deepEqual(sorted, ['0-9', '0-10', '1-1', '1-5'])
  })
})

describe('places', () => {
  const place = (text: string): unknown => parsePlace(Buffer.from(text))

  it('are the start, the end, a time or an id', () => {
    assert.deepEqual(place('0'), { at: 'start' })
    assert.deepEqual(place('0-0'), { at: 'start' })
    assert.deepEqual(place('$'), { at: 'end' })
    assert.deepEqual(place('@1700000000000'), { at: 'time', ms: 1_700_000_000_000 })
    assert.deepEqual(place('3-7'), { at: 'id', id: { partition: 3, position: 7 } })
    assert.deepEqual(place('3'), { at: 'id', id: { partition: 3, position: 0 } })
    for (const text of ['', '@', '@x', '-', '+', '(1-1', '>'])
      assert.throws(() => place(text), /^ReplyError: ERR Invalid stream ID/, text)
  })

  it('end ranges with -, +, ids with and without them, or times', () => {
    const end = (text: string): unknown => parseRangeEnd(Buffer.from(text), 99)
    assert.deepEqual(end('-'), { place: { at: 'start' }, isExclusive: false })
    assert.deepEqual(end('+'), { place: { at: 'end' }, isExclusive: false })
    assert.deepEqual(end('(1-4'), {
      place: { at: 'id', id: { partition: 1, position: 4 } },
      isExclusive: true,
    })
    assert.deepEqual(end('2'), {
      place: { at: 'id', id: { partition: 2, position: 99 } },
      isExclusive: false,
    })
    assert.deepEqual(end('@5'), { place: { at: 'time', ms: 5 }, isExclusive: false })
    for (const text of ['(-', '(+', '(', '', '$'])
      assert.throws(() => end(text), /Invalid stream ID/, text)
  })
})
