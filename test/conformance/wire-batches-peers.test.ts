import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import {
  BatchBuilder,
  compressionNames,
  decodeRecords,
  hasValidCrc,
  type Compression,
} from '../../packages/millrace/src/protocol/index.ts'

/** The insides of the peers, which their packages do not export; only what is used here. */
interface PlatformaticRecords {
  readonly createRecordsBatch: (
    messages: readonly object[],
    options: object,
  ) => { readonly buffer: Uint8Array }
  readonly readRecordsBatch: (reader: object) => {
    readonly firstTimestamp: bigint
    readonly records: readonly {
      readonly offsetDelta: number
      readonly timestampDelta: bigint
      readonly key: Buffer | null
      readonly value: Buffer | null
      readonly headers: readonly (readonly [Buffer, Buffer])[]
    }[]
  }
}
interface KafkajsRecord {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
}

const platformatic = '../../node_modules/@platformatic/kafka/dist/protocol/'
const { createRecordsBatch, readRecordsBatch } = (await import(
  `${platformatic}records.js`
)) as PlatformaticRecords
const { Reader } = (await import(`${platformatic}reader.js`)) as {
  Reader: { from(buffer: Buffer): object }
}
const require = createRequire(import.meta.url)
const KafkajsDecoder = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => object
const decodeKafkajsBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<{ readonly records: readonly KafkajsRecord[] }>

const startMs = 1_700_000_000_000
const messages = Array.from({ length: 50 }, (_, index) => ({
  key: Buffer.from(`key-${index}`),
  value: Buffer.from(`value-${index} `.repeat(index)),
  timestamp: startMs + index,
}))

function build(compression: Compression): Buffer {
  const builder = new BatchBuilder()
  for (const message of messages) {
    builder.append({ ...message, headers: [['trace', 'a1']] })
  }
  return builder.build({ compression, producerId: 5, producerEpoch: 1, baseSequence: 40 })
}

describe('batches between Millrace and its peers', () => {
  for (const compression of compressionNames) {
    it(`@platformatic/kafka reads what we write with ${compression}`, () => {
      const { records, firstTimestamp } = readRecordsBatch(Reader.from(build(compression)))
      assert.equal(records.length, messages.length)
      for (const [index, record] of records.entries()) {
        assert.equal(record.offsetDelta, index)
        assert.equal(Number(firstTimestamp + record.timestampDelta), messages[index]?.timestamp)
        assert.deepEqual(Buffer.from(record.key ?? ''), messages[index]?.key)
        assert.deepEqual(Buffer.from(record.value ?? ''), messages[index]?.value)
        assert.equal(String(record.headers[0]?.[1]), 'a1')
      }
    })

    it(`we read what @platformatic/kafka writes with ${compression}`, () => {
      const { buffer } = createRecordsBatch(
        messages.map((message) => ({
          ...message,
          timestamp: BigInt(message.timestamp),
          topic: 't',
        })),
        { compression },
      )
      const batch = Buffer.from(buffer)
      assert.ok(hasValidCrc(batch, 0, batch.length))
      assert.deepEqual(
        decodeRecords(batch).map(({ key, value, timestamp }) => ({ key, value, timestamp })),
        messages,
      )
    })
  }

  // kafkajs brings no other codec.
  for (const compression of ['none', 'gzip'] as const) {
    it(`kafkajs reads what we write with ${compression}`, async () => {
      const { records } = await decodeKafkajsBatch(new KafkajsDecoder(build(compression)))
      assert.deepEqual(
        records.map(({ key, value, timestamp }) => ({ key, value, timestamp: Number(timestamp) })),
        messages,
      )
    })
  }
})
