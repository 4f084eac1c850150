import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import { memoryFileSystem, openLogStore } from '../../storage/index.ts'
import type { BrokerCore } from '../broker-core.ts'
import { brokerSettings } from '../options.ts'
import { Topics } from '../topics/topics.ts'
import { createTopicsHandler } from './19-create-topics.ts'
import type { Call } from './define-handler.ts'

describe('a topic of too many partitions', () => {
  it('is refused, however they are asked for', async () => {
    const clock = manualClock()
    const settings = brokerSettings()
    await using store = await openLogStore({
      folder: '/memory',
      fs: memoryFileSystem(),
      clock,
      reserveBytes: 0,
    })
    const broker = { clock, store, settings, topics: new Topics(store, settings) }
    const call = { version: 7, clientId: '', broker: broker as Partial<BrokerCore> } as Call
    const topic = { name: 'orders', numPartitions: -1, replicationFactor: -1, configs: [] }
    const assignments = Array.from({ length: 10_001 }, (_, partitionIndex) => ({
      partitionIndex,
      brokerIds: [store.nodeId],
    }))
    for (const asked of [
      { ...topic, assignments },
      { ...topic, numPartitions: 10_001, assignments: [] },
    ]) {
      const request = { topics: [asked], timeoutMs: 1000, validateOnly: true }
      const answer = await createTopicsHandler.handle(request, call)
      const { topics } = answer as { topics: { errorCode: number }[] }
      assert.equal(topics[0]?.errorCode, errorCodes.INVALID_PARTITIONS)
    }
  })
})
