import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CodecError, isFailure } from '../../errors/index.ts'
import { compressionNames } from '../compression/index.ts'
import { BatchBuilder } from './batch-builder.ts'
import {
  batchSizeAt,
  hasValidCrc,
  placeBatch,
  readBatchHeader,
  splitBatches,
  stampLogAppendTime,
  stampProducer,
} from './batch-header.ts'
import { checkProducedBatch } from './check-produced-batch.ts'
import { encodeBatch } from './encode-batch.ts'
import { produceConfigOf } from './produce-config.ts'
import type { NewRecord, WireRecord } from './record.ts'
import { decodeRecords, recordCursor } from './record-cursor.ts'

const anonymous = { producerId: -1, producerEpoch: -1, baseSequence: -1 }
const plainBuild = { compression: 'none', ...anonymous } as const
const config = produceConfigOf({})
const nowMs = 1_700_000_000_000

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
const field = fc.oneof(bytes, fc.constant(null), fc.string({ unit: 'grapheme' }))
const newRecord: fc.Arbitrary<NewRecord> = fc.record(
  {
    key: field,
    value: field,
    headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), field), { maxLength: 4 }),
    timestamp: fc.oneof(
      fc.integer({ min: nowMs - 1_000_000, max: nowMs }),
      fc.maxSafeInteger().map(Math.abs),
      fc.constant(-1),
    ),
  },
  { requiredKeys: ['key', 'value', 'timestamp'] },
)

describe('record batches', () => {
  it('a built batch reads back as its records, for every codec', () => {
    fc.assert(
      fc.property(
        fc.array(newRecord, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(...compressionNames),
        (records, compression) => {
          const builder = new BatchBuilder({})
          for (const record of records) {
            const before = builder.sizeInBytes
            const estimate = builder.estimate(record)
            builder.append(record)
            assert.equal(builder.sizeInBytes, before + estimate)
          }
          const size = builder.sizeInBytes
          const batch = builder.build({ compression, ...anonymous })
          if (compression === 'none') assert.equal(batch.length, size)
          assert.equal(batchSizeAt(batch, 0), batch.length)
          assert.ok(hasValidCrc(batch, 0, batch.length))
          assert.deepEqual(decodeRecords(batch), records.map(asRead))
          assert.equal(
            readBatchHeader(batch).maxTimestamp,
            Math.max(-1, ...records.map((record) => record.timestamp)),
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  it('builder and encodeBatch make the same bytes', () => {
    fc.assert(
      fc.property(fc.array(newRecord, { minLength: 1, maxLength: 10 }), (records) => {
        const builder = new BatchBuilder()
        for (const record of records) builder.append(record)
        const encoded = encodeBatch(
          {},
          records.map((record, offset) => ({ ...record, offset })),
        )
        assert.ok(builder.build(plainBuild).equals(encoded))
      }),
    )
  })

  it('placing a batch keeps its checksum; stamping it makes a new one', () => {
    const batch = build(['a', 'b'])
    placeBatch(batch, 0, 2 ** 40 + 7, 12)
    assert.ok(hasValidCrc(batch, 0, batch.length))
    assert.deepEqual(offsetsOf(batch), [2 ** 40 + 7, 2 ** 40 + 8])

    stampLogAppendTime(batch, 0, 42)
    stampProducer(batch, { producerId: 9, producerEpoch: 3, baseSequence: 77 })
    assert.ok(hasValidCrc(batch, 0, batch.length))
    assert.deepEqual(
      decodeRecords(batch).map((record) => record.timestamp),
      [42, 42],
    )
    const { producerId, producerEpoch, baseSequence } = readBatchHeader(batch)
    assert.deepEqual([producerId, producerEpoch, baseSequence], [9, 3, 77])
  })

  it('a cursor passes over records without cutting them out', () => {
    const cursor = recordCursor(build(['a', 'b', 'c']))
    assert.ok(cursor.advance() && cursor.advance())
    assert.deepEqual([cursor.offset, cursor.read, cursor.count], [1, 2, 3])
    assert.equal(String(cursor.next()?.value), 'c')
    assert.equal(cursor.next(), undefined)
    assert.equal(cursor.advance(), false)
  })

  it('damaged batches give a CodecError or records, and nothing else', () => {
    const builder = new BatchBuilder()
    for (let index = 0; index < 20; index++) {
      builder.append({
        key: `k${index}`,
        value: 'v'.repeat(index),
        headers: [['h', 'x']],
        timestamp: nowMs,
      })
    }
    const good = builder.build(plainBuild)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(good.length),
        (changes, length) => {
          const bad = Buffer.from(good)
          for (const [at, byte] of changes) bad[at] = byte
          const cut = bad.subarray(0, length)
          onlyCodecErrors(() => decodeRecords(cut, { maxInflatedBytes: 1 << 20 }))
          onlyCodecErrors(() => decodeRecords(bad, { maxInflatedBytes: 1 << 20 }))
          onlyCodecErrors(() => splitBatches(Buffer.concat([bad, good])))
          for (const bytesGiven of [bad, cut, withFreshCrc(bad)]) {
            // Never throws, whatever comes: its answer is a code.
            checkProducedBatch(bytesGiven, { produceVersion: 9, topicConfig: config, nowMs })
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('a batch that unfolds beyond the bound is refused, by the reader and by the leader', () => {
    for (const compression of compressionNames.slice(1)) {
      const builder = new BatchBuilder()
      builder.append({ key: null, value: Buffer.alloc(4 << 20), timestamp: nowMs })
      const bomb = builder.build({ compression, ...anonymous })
      assert.throws(
        () => decodeRecords(bomb, { maxInflatedBytes: 1 << 20 }),
        (error) => isFailure(error, 'MR_PROTOCOL_INFLATED_TOO_LARGE'),
      )
      const verdict = checkProducedBatch(bomb, {
        produceVersion: 9,
        topicConfig: config,
        nowMs,
        maxInflatedBytes: 1 << 20,
      })
      assert.equal(verdict.errorCode, 87)
    }
  })

  it('a leader that trusts headers still refuses records without a key in a compacted topic', () => {
    const check = { produceVersion: 9, nowMs, inspect: 'header' } as const
    const compacted = produceConfigOf({ 'cleanup.policy': 'compact,delete' })
    const batch = build(['no key'])
    assert.equal(checkProducedBatch(batch, { ...check, topicConfig: config }).errorCode, 0)
    assert.equal(checkProducedBatch(batch, { ...check, topicConfig: compacted }).errorCode, 87)
  })
})

function build(values: readonly string[]): Buffer {
  const builder = new BatchBuilder()
  for (const value of values) builder.append({ key: null, value, timestamp: nowMs })
  return builder.build(plainBuild)
}

function offsetsOf(batch: Buffer): readonly number[] {
  return decodeRecords(batch).map((record) => record.offset)
}

function asRead(record: NewRecord, offset: number): WireRecord {
  return {
    offset,
    timestamp: record.timestamp,
    key: toBytes(record.key),
    value: toBytes(record.value),
    headers: (record.headers ?? []).map(
      ([name, value]) => [Buffer.from(name).toString(), toBytes(value)] as const,
    ),
  }
}

function toBytes(value: NewRecord['key']): WireRecord['key'] {
  return typeof value === 'string' ? Buffer.from(value) : value
}

function withFreshCrc(batch: Buffer): Buffer {
  const fresh = Buffer.from(batch)
  fresh.writeInt32BE(fresh.length - 12, 8)
  stampProducer(fresh, { producerId: -1, producerEpoch: -1, baseSequence: -1 })
  return fresh
}

function onlyCodecErrors(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
  }
}
