import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../../kit/index.ts'
import { BatchBuilder, type apis, type ResponseInput } from '../../protocol/index.ts'
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
  /** One batch of producer 7 with sequence 0. */
  produce(): { readonly isLater: boolean; readonly answer: Promise<readonly unknown[]> }
}

async function bench(): Promise<Bench> {
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
  await store.createTopic({ name: 'orders', partitions: 1 })
  const broker = { clock, store, settings, topics: new Topics(store, settings) }
  return {
    fs,
    endTurn: () => endTurn(),
    produce() {
      const builder = new BatchBuilder()
      builder.append({ key: null, value: 'a', timestamp: clock.now() })
      const records = builder.build({
        compression: 'none',
        producerId: 7,
        producerEpoch: 0,
        baseSequence: 0,
      })
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
