import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readBatchHeader, type BatchHeader } from '../protocol/index.ts'
import { sequenced, startMs } from './fixtures.test.ts'
import { decodeProducers, encodeProducers } from './producer-snapshot.ts'
import { ProducerState, type ProducerVerdict } from './producer-state.ts'

const largestSequence = 0x7fffffff

describe('producer state', () => {
  it('recognises each of the last five batches, and none before', () => {
    const state = new ProducerState()
    for (let batch = 0; batch < 7; batch++) write(state, header(batch * 2, 2), batch * 2)
    for (let batch = 2; batch < 7; batch++)
      assert.equal(offsetOf(state.judge(header(batch * 2, 2))), batch * 2)
    assert.deepEqual(state.judge(header(2, 2)), { kind: 'refused', errorCode: 45 })
    assert.deepEqual(state.judge(header(12, 1)), { kind: 'refused', errorCode: 45 }, 'only whole')
    assert.deepEqual(state.judge(header(14, 5)), { kind: 'next' })
    assert.deepEqual(state.judge(header(15, 5)), { kind: 'refused', errorCode: 45 }, 'a gap')
  })

  it('lets an unknown producer start anywhere, and a new epoch only at zero', () => {
    const state = new ProducerState()
    assert.deepEqual(state.judge(header(500, 1)), { kind: 'next' })
    write(state, header(500, 1), 0)
    assert.deepEqual(state.judge(header(501, 1, 1)), { kind: 'refused', errorCode: 45 })
    assert.deepEqual(state.judge(header(0, 1, 1)), { kind: 'next' })
    write(state, header(0, 1, 1), 1)
    assert.deepEqual(state.judge(header(501, 1, 0)), { kind: 'refused', errorCode: 47 })
    assert.deepEqual(state.judge(header(500, 1, 0)), { kind: 'refused', errorCode: 47 })
    assert.equal(offsetOf(state.judge(header(0, 1, 1))), 1)
  })

  it('wraps sequences from 2^31-1 to 0, also inside a batch', () => {
    const state = new ProducerState()
    write(state, header(largestSequence - 1, 2), 0)
    assert.deepEqual(state.judge(header(0, 1)), { kind: 'next' })
    write(state, header(0, 1), 2)
    const other = new ProducerState()
    write(other, header(largestSequence - 1, 4), 0)
    assert.deepEqual(other.judge(header(2, 1)), { kind: 'next' })
    assert.equal(offsetOf(other.judge(header(largestSequence - 1, 4))), 0)
  })

  it('forgets drafts that were not written', () => {
    const state = new ProducerState()
    write(state, header(0, 1), 0)
    for (let sequence = 1; sequence < 9; sequence++)
      state.draft(header(sequence, 1), sequence, startMs, startMs)
    assert.equal(offsetOf(state.judge(header(8, 1))), 8, 'a repeat within the turn')
    state.dropDrafts()
    assert.equal(offsetOf(state.judge(header(0, 1))), 0)
    assert.deepEqual(state.judge(header(1, 1)), { kind: 'next' })
  })

  it('forgets who was silent too long, and nobody else', () => {
    const state = new ProducerState()
    state.write(header(0, 1, 0, 1), 0, startMs, 1000)
    state.write(header(0, 1, 0, 2), 1, startMs, 2000)
    state.expire(2000)
    assert.deepEqual(
      Array.from(state.entries(), ({ producerId }) => producerId),
      [2],
    )
  })
})

describe('producer snapshot', () => {
  const state = new ProducerState()
  for (let batch = 0; batch < 9; batch++) {
    write(state, header(batch, 1, 3, 2 ** 40), batch)
    write(state, header(batch * 3, 3, 0, 8), 100 + batch * 3)
  }
  const bytes = encodeProducers(state)

  it('keeps five batches of every producer', () => {
    const back = decodeProducers(bytes)
    assert.deepEqual([...(back?.entries() ?? [])], [...state.entries()])
    assert.equal(back?.get(8)?.batches.length, 5)
  })

  it('is none when any byte differs, or any is missing', () => {
    for (let at = 0; at < bytes.length; at++) {
      if (at === 6 || at === 7) continue // reserved
      const broken = Buffer.from(bytes)
      broken.writeUInt8(broken.readUInt8(at) ^ 0x40, at)
      assert.equal(decodeProducers(broken), undefined, `byte ${at}`)
      assert.equal(decodeProducers(bytes.subarray(0, at)), undefined, `cut at ${at}`)
    }
  })
})

function header(
  baseSequence: number,
  count: number,
  producerEpoch = 0,
  producerId = 7,
): BatchHeader {
  const texts = Array.from({ length: count }, () => 'x')
  return readBatchHeader(sequenced(texts, baseSequence, { producerEpoch, producerId }))
}

function write(state: ProducerState, of: BatchHeader, offset: number): void {
  state.write(of, offset, startMs, startMs)
}

function offsetOf(verdict: ProducerVerdict): number | undefined {
  return verdict.kind === 'duplicate' ? verdict.batch.baseOffset : undefined
}
