import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../../kit/index.ts'
import {
  BatchBuilder,
  crc32c,
  encodeBatch,
  type apis,
  type Compression,
  type ResponseInput,
} from '../../protocol/index.ts'
import { memoryFileSystem, openLogStore, type MemoryFileSystem } from '../../storage/index.ts'
import type { BrokerCore } from '../broker-core.ts'
import { brokerSettings } from '../options.ts'
import { Topics } from '../topics/topics.ts'
import { produceHandler } from './00-produce.ts'
import { Later } from './define-handler.ts'

type Response = ResponseInput<typeof apis.produce>

interface Bench extends AsyncDisposable {
  readonly fs: MemoryFileSystem
  /** Ends the loop turn: what is queued is written. */
  endTurn(): void
  /** One batch, by default of producer 7 with sequence 0. */
  produce(records?: Buffer): {
    readonly isLater: boolean
    readonly answer: Promise<readonly unknown[]>
  }
}

function batchOf(
  value: string,
  options: {
    readonly producerId?: number
    readonly timestamp: number
    readonly compression?: Compression
  },
): Buffer {
  const { producerId = -1, timestamp, compression = 'none' } = options
  const builder = new BatchBuilder()
  builder.append({ key: null, value, timestamp })
  const sequence = producerId < 0 ? -1 : 0
  return builder.build({
    compression,
    producerId,
    producerEpoch: sequence,
    baseSequence: sequence,
  })
}

async function bench(configs: Record<string, string> = {}): Promise<Bench> {
  const clock = manualClock()
  const fs = memoryFileSystem()
  const settings = brokerSettings()
  let endTurn = (): void => undefined
  const store = await openLogStore({
    folder: '/memory',
    fs,
    clock,
    reserveBytes: 0,
    endOfTurn: (callback) => {
      endTurn = callback
    },
  })
  await store.createTopic({ name: 'orders', partitions: 1, configs })
  const broker = { clock, store, settings, topics: new Topics(store, settings) }
  return {
    fs,
    endTurn: () => endTurn(),
    produce(records = batchOf('a', { producerId: 7, timestamp: clock.now() })) {
      const request = {
        transactionalId: null,
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ name: 'orders', topicId: '', partitionData: [{ index: 0, records }] }],
      }
      const call = { version: 9, clientId: '', peer: undefined as never, broker: broker as never }
      const outcome = produceHandler.handle(request, call satisfies { broker: BrokerCore })
      const isLater = outcome instanceof Later
      const response = isLater ? (outcome.promise as Promise<Response>) : (outcome as Response)
      return {
        isLater,
        answer: Promise.resolve(response).then(({ responses }) =>
          (responses?.[0]?.partitionResponses ?? []).map(({ errorCode, baseOffset }) => ({
            errorCode,
            baseOffset,
          })),
        ),
      }
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
}

describe('a repeated batch whose original is not yet written', () => {
  it('is acknowledged with it, not before', async () => {
    await using b = await bench()
    const first = b.produce()
    const repeat = b.produce()
    assert.deepEqual([first.isLater, repeat.isLater], [true, true])
    b.endTurn()
    assert.deepEqual(await first.answer, [{ errorCode: 0, baseOffset: 0 }])
    assert.deepEqual(await repeat.answer, [{ errorCode: 0, baseOffset: 0 }])
    assert.equal(b.produce().isLater, false, 'what is written is answered at once')
  })

  it('is refused with it when the disk fails', async () => {
    await using b = await bench()
    const first = b.produce()
    const repeat = b.produce()
    b.fs.fault = (operation) => (operation === 'write' ? { code: 'EIO' } : undefined)
    b.endTurn()
    assert.deepEqual(await first.answer, [{ errorCode: 56, baseOffset: -1 }])
    assert.deepEqual(await repeat.answer, [{ errorCode: 56, baseOffset: -1 }])
    b.fs.fault = undefined
  })
})

describe('a topic that stores batches in a codec of its own', () => {
  it('refuses one whose records cannot be unfolded', async () => {
    await using b = await bench({ 'compression.type': 'zstd' })
    const broken = encodeBatch({ attributes: 0 }, [
      { offset: 0, timestamp: 0, key: null, value: 'no gzip' },
    ])
    broken.writeInt16BE(1, 21)
    broken.writeUInt32BE(crc32c(broken.subarray(21)), 17)
    assert.deepEqual(await b.produce(broken).answer, [{ errorCode: 87, baseOffset: -1 }])
  })

  it('refuses one that is too large once it is in that codec', async () => {
    await using b = await bench({ 'compression.type': 'uncompressed', 'max.message.bytes': '1000' })
    const folded = batchOf('x'.repeat(5000), { timestamp: 0, compression: 'gzip' })
    assert.ok(folded.length < 1000)
    assert.deepEqual(await b.produce(folded).answer, [{ errorCode: 10, baseOffset: -1 }])
  })
})
