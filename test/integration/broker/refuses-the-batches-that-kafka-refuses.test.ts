import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../../../packages/millrace/src/kit/index.ts'
import { apis, decodeRecords } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { goldenRows } from '../../conformance/golden-rows.ts'
import { produceTo } from './batches.ts'
import { connectRaw } from './raw-client.ts'

interface Row {
  readonly name: string
  readonly kind: string
  readonly hex: string
  readonly topicConfig?: Readonly<Record<string, string>>
  readonly produce: {
    readonly ok: boolean
    readonly produceVersion: number
    readonly errorCode?: number
    readonly recordErrors?: readonly { readonly index: number }[]
    readonly logAppendTime?: number
    readonly storedHex?: string
  }
}

/** In Kafka's vectors the leader epoch is 3, here it is 0; it stands at byte 12, outside the checksum. */
function withLeaderEpoch(hex: string | undefined, epoch: number): Buffer {
  const bytes = Buffer.from(hex ?? '', 'hex')
  bytes.writeInt32BE(epoch, 12)
  return bytes
}

describe('a produced batch', () => {
  it('is taken, changed and refused as by Apache Kafka, over the wire', async () => {
    const rows = (goldenRows('batches') as readonly Row[]).filter(
      // Kafka took these without looking for their transaction, which there is none of here.
      ({ kind, name }) =>
        (kind === 'corrupt' || kind === 'append') && !name.startsWith('transactional'),
    )
    // The clock that Kafka had when it made these vectors.
    await using broker = await startTestBroker({ clock: manualClock(1_700_000_000_000) })
    await using client = await connectRaw(broker.port)
    for (const [index, { name, hex, topicConfig = {}, produce }] of rows.entries()) {
      const topic = `case-${index}`
      const { id } = await broker.store.createTopic({
        name: topic,
        partitions: 1,
        configs: topicConfig,
      })
      const version = produce.produceVersion
      const request = produceTo(topic, 0, Buffer.from(hex, 'hex'))
      const answer = await client.ask(apis.produce, version, {
        ...request,
        topicData: request.topicData.map((one) => ({ ...one, topicId: id })),
      })
      const response = answer.responses[0]?.partitionResponses[0]
      assert.ok(response, name)
      // Where Kafka's own code falls over it answers -1; such a batch is invalid.
      const expected = produce.ok ? 0 : produce.errorCode === -1 ? 87 : produce.errorCode
      assert.equal(response.errorCode, expected, `${name}: ${response.errorMessage}`)
      if (version >= 8) {
        assert.deepEqual(
          response.recordErrors.map(({ batchIndex }) => batchIndex),
          produce.ok ? [] : (produce.recordErrors ?? []).map((error) => error.index),
          name,
        )
      }
      if (!produce.ok) {
        assert.equal(response.baseOffset, -1, name)
        continue
      }
      assert.equal(response.baseOffset, 0, name)
      assert.equal(response.logAppendTimeMs, produce.logAppendTime ?? -1, name)
      const fetched = await client.ask(apis.fetch, 11, {
        topics: [
          { topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] },
        ],
      })
      const stored = fetched.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0)
      const kafkas = withLeaderEpoch(produce.storedHex, 0)
      // Two compressors write two streams: of what was compressed anew the records count.
      if (topicConfig['compression.type'] === undefined) assert.deepEqual(stored, kafkas, name)
      else assert.deepEqual(decodeRecords(stored), decodeRecords(kafkas), name)
    }
    assert.ok(rows.length > 85)
  })
})
