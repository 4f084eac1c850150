import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  checkProducedBatch,
  compressionOf,
  controlTypeOf,
  decodeRecords,
  encodeBatch,
  hasDeleteHorizon,
  hasValidCrc,
  isControl,
  isLogAppendTime,
  isTransactional,
  placeBatch,
  produceConfigOf,
  readBatchHeader,
  recordCursor,
  splitBatches,
  stampLogAppendTime,
  storedBatchOf,
  type BatchHeader,
  type WireRecord,
} from '../../packages/millrace/src/protocol/index.ts'
import { goldenRows } from './golden-rows.ts'

interface GoldenBatch extends BatchHeader {
  readonly compression: string
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly deleteHorizonMs: number | null
}

interface GoldenRecord {
  readonly offset: number
  readonly timestamp: number
  readonly createTimestamp?: number
  readonly keyHex: string | null
  readonly valueHex: string | null
  readonly headers: readonly (readonly [string, string | null])[]
  readonly control?: {
    readonly type: string
    readonly typeId: number
    readonly coordinatorEpoch?: number
  }
}

interface Refusable {
  readonly ok: boolean
  readonly stage?: string
}

type Row = { readonly name: string; readonly hex: string } & (
  | {
      readonly kind: 'batch'
      readonly encodeExact: boolean
      readonly batch: GoldenBatch
      readonly records: readonly GoldenRecord[]
    }
  | {
      readonly kind: 'set'
      readonly batches: readonly {
        readonly batch: GoldenBatch
        readonly records: readonly GoldenRecord[]
      }[]
      readonly bytesRead: number
    }
  | {
      readonly kind: 'corrupt' | 'append'
      readonly topicConfig?: Readonly<Record<string, string>>
      readonly read: Refusable & { readonly batches: number; readonly records: number }
      readonly produce: Refusable & {
        readonly produceVersion: number
        readonly errorCode?: number
        readonly recordErrors?: readonly { readonly index: number }[]
        readonly maxTimestamp?: number
        readonly logAppendTime?: number
        readonly storedHex?: string
      }
    }
)

const rows = goldenRows('batches') as readonly Row[]
const appendClockMs = 1_700_000_000_000
const leaderEpoch = 3

describe("batches that Kafka's builder made", () => {
  for (const row of rows) {
    if (row.kind !== 'batch') continue
    const bytes = Buffer.from(row.hex, 'hex')

    it(`${row.name} reads as Kafka reads it`, () => {
      assertSameBatch(bytes, row.batch)
      assert.deepEqual(decodeRecords(bytes).map(plain), row.records.map(expected))
      for (const { control } of row.records) {
        if (control === undefined) continue
        const seen = controlTypeOf(bytes)
        const type = control.typeId === 0 ? 'abort' : control.typeId === 1 ? 'commit' : 'other'
        assert.equal(seen.type, type)
        if (type !== 'other') assert.equal(seen.coordinatorEpoch, control.coordinatorEpoch)
      }
    })
    if (!row.encodeExact) continue
    it(`${row.name} is written to the same bytes`, () => {
      const made = encodeBatch(row.batch, row.records.map(toWrite))
      assert.equal(made.toString('hex'), row.hex)
    })
  }
})

describe('batches in a row, as a Fetch answer has them', () => {
  for (const row of rows) {
    if (row.kind !== 'set') continue
    it(`${row.name} gives its whole batches and leaves a cut one`, () => {
      const batches = splitBatches(Buffer.from(row.hex, 'hex'))
      assert.equal(batches.length, row.batches.length)
      assert.equal(
        batches.reduce((sum, batch) => sum + batch.length, 0),
        row.bytesRead,
      )
      for (const [index, golden] of row.batches.entries()) {
        const batch = batches[index] ?? Buffer.alloc(0)
        assertSameBatch(batch, golden.batch)
        assert.deepEqual(decodeRecords(batch).map(plain), golden.records.map(expected))
      }
    })
  }
})

describe('broken batches', () => {
  for (const row of rows) {
    if (row.kind !== 'corrupt' && row.kind !== 'append') continue
    const { read, produce } = row

    it(`${row.name}: our reader ${read.ok ? 'reads' : 'refuses'} it, as Kafka's does`, () => {
      const bytes = Buffer.from(row.hex, 'hex')
      if (read.ok) {
        assert.deepEqual(walk(bytes), { batches: read.batches, records: read.records })
      } else {
        assert.throws(() => walk(bytes), { name: 'CodecError' })
      }
    })

    it(`${row.name}: a leader ${produce.ok ? 'takes' : 'refuses'} it, as Kafka's does`, () => {
      const topicConfig = produceConfigOf(row.topicConfig ?? {})
      const verdict = checkProducedBatch(Buffer.from(row.hex, 'hex'), {
        produceVersion: produce.produceVersion,
        topicConfig,
        nowMs: appendClockMs,
      })
      if ('batch' in verdict) {
        assert.ok(produce.ok)
        const stored = storedBatchOf(verdict, topicConfig)
        assert.ok('batch' in stored)
        const { batch, header } = stored
        assert.deepEqual(header, readBatchHeader(batch))
        placeBatch(batch, 0, 0, leaderEpoch)
        if (topicConfig.timestampType === 'LogAppendTime') {
          stampLogAppendTime(batch, 0, appendClockMs)
        }
        assert.equal(readBatchHeader(batch).maxTimestamp, produce.maxTimestamp)
        assertSameStored(batch, Buffer.from(produce.storedHex ?? '', 'hex'))
        return
      }
      // Kafka's -1 means that its own code fell over; such a batch is simply invalid.
      const code = produce.errorCode === -1 ? 87 : produce.errorCode
      assert.equal(verdict.errorCode, code, verdict.message)
      assert.deepEqual(
        verdict.recordErrors?.map(({ index }) => index),
        produce.recordErrors?.map(({ index }) => index),
      )
    })
  }
})

function walk(bytes: Buffer): { batches: number; records: number } {
  let batches = 0
  let records = 0
  for (const batch of splitBatches(bytes)) {
    if (!hasValidCrc(batch, 0, batch.length)) {
      throw Object.assign(new Error('checksum'), { name: 'CodecError' })
    }
    batches++
    const cursor = recordCursor(batch)
    while (cursor.advance()) records++
  }
  return { batches, records }
}

function assertSameBatch(bytes: Buffer, golden: GoldenBatch): void {
  const header = readBatchHeader(bytes)
  for (const [name, value] of Object.entries(header)) {
    assert.equal(value, golden[name as keyof BatchHeader], name)
  }
  assert.ok(hasValidCrc(bytes, 0, bytes.length))
  assert.equal(compressionOf(header.attributes), golden.compression)
  assert.equal(isLogAppendTime(header.attributes), golden.timestampType === 'LogAppendTime')
  assert.equal(isTransactional(header.attributes), golden.isTransactional)
  assert.equal(isControl(header.attributes), golden.isControl)
  assert.equal(
    hasDeleteHorizon(header.attributes) ? header.baseTimestamp : null,
    golden.deleteHorizonMs,
  )
}

/** Compressors differ by a byte here and there; what is compressed must be the same. */
function assertSameStored(ours: Buffer, kafkas: Buffer): void {
  if (compressionOf(readBatchHeader(kafkas).attributes) === 'none') {
    assert.equal(ours.toString('hex'), kafkas.toString('hex'))
    return
  }
  const { crc: _ours, batchLength: _ourLength, ...ourHeader } = readBatchHeader(ours)
  const { crc: _kafkas, batchLength: _kafkaLength, ...kafkaHeader } = readBatchHeader(kafkas)
  assert.deepEqual(ourHeader, kafkaHeader)
  assert.ok(hasValidCrc(ours, 0, ours.length))
  assert.deepEqual(decodeRecords(ours).map(plain), decodeRecords(kafkas).map(plain))
}

function plain(record: WireRecord): GoldenRecord {
  return {
    offset: record.offset,
    timestamp: record.timestamp,
    keyHex: hexOf(record.key),
    valueHex: hexOf(record.value),
    headers: record.headers.map(([name, value]) => [name, hexOf(value)] as const),
  }
}

function expected({ offset, timestamp, keyHex, valueHex, headers }: GoldenRecord): GoldenRecord {
  return { offset, timestamp, keyHex, valueHex, headers }
}

function toWrite(record: GoldenRecord): WireRecord {
  return {
    offset: record.offset,
    timestamp: record.createTimestamp ?? record.timestamp,
    key: bytesOf(record.keyHex),
    value: bytesOf(record.valueHex),
    headers: record.headers.map(([name, value]) => [name, bytesOf(value)] as const),
  }
}

function hexOf(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString('hex')
}

function bytesOf(hex: string | null): Buffer | null {
  return hex === null ? null : Buffer.from(hex, 'hex')
}
