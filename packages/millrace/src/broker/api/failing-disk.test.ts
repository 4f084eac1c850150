import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import { memoryFileSystem, openLogStore, type MemoryFileSystem } from '../../storage/index.ts'
import type { BrokerCore } from '../broker-core.ts'
import { FetchSessions } from '../fetching/fetch-sessions.ts'
import { GroupCoordinator } from '../groups/group-coordinator.ts'
import { brokerSettings } from '../options.ts'
import { Topics } from '../topics/topics.ts'
import { metadataHandler } from './03-metadata.ts'
import { findCoordinatorHandler } from './10-find-coordinator.ts'
import type { Call, Handler } from './define-handler.ts'
import { deleteGroupsHandler } from './42-delete-groups.ts'
import { offsetDeleteHandler } from './47-offset-delete.ts'

interface Bench extends AsyncDisposable {
  readonly fs: MemoryFileSystem
  readonly broker: BrokerCore
  ask(handler: Handler, version: number, request: object): Promise<object>
}

async function bench(): Promise<Bench> {
  const clock = manualClock()
  const fs = memoryFileSystem()
  const settings = brokerSettings()
  const store = await openLogStore({ folder: '/memory', fs, clock, reserveBytes: 0 })
  const topics = new Topics(store, settings)
  const groups = new GroupCoordinator({ store, topics, clock, settings })
  const sessions = new FetchSessions({ slots: 0 })
  const broker: BrokerCore = { clock, store, settings, topics, groups, sessions, apiRanges: [] }
  return {
    fs,
    broker,
    async ask(handler, version, request) {
      const advertised = { host: 'localhost', port: 1 }
      const finish = (): void => undefined
      const peer = { id: 1, host: '', advertised, signal: AbortSignal.abort(), finish }
      const call: Call = { version, clientId: '', peer, broker }
      return handler.handle(request, call) as Promise<object>
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
}

const at = { topic: 'orders', partition: 0, offset: 1, leaderEpoch: 0, metadata: '' }
const retry = errorCodes.COORDINATOR_NOT_AVAILABLE

describe('while the disk fails, and the offsets topic cannot be written', () => {
  it('clients that look for a coordinator are told to come back', async () => {
    await using b = await bench()
    b.fs.fault = (operation) => (operation === 'write' ? { code: 'EIO' } : undefined)
    const found = await b.ask(findCoordinatorHandler, 4, { keyType: 0, coordinatorKeys: ['g'] })
    const [row] = (found as { coordinators: { errorCode: number }[] }).coordinators
    assert.equal(row?.errorCode, retry)
    const metadata = await b.ask(metadataHandler, 9, {
      topics: [{ name: '__consumer_offsets', topicId: '' }],
      allowAutoTopicCreation: false,
    })
    const [topic] = (metadata as { topics: { errorCode: number }[] }).topics
    assert.equal(topic?.errorCode, errorCodes.KAFKA_STORAGE_ERROR)
    b.fs.fault = undefined
  })

  it('a group is neither deleted nor robbed of an offset, and the client may try again', async () => {
    await using b = await bench()
    await b.broker.store.createTopic({ name: 'orders', partitions: 1 })
    await b.broker.groups.commit('g', [at], -1)
    b.fs.fault = (operation) => (operation === 'write' ? { code: 'EIO' } : undefined)
    const offsets = await b.ask(offsetDeleteHandler, 0, {
      groupId: 'g',
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }],
    })
    assert.deepEqual(offsets, { errorCode: retry })
    const groups = await b.ask(deleteGroupsHandler, 2, { groupsNames: ['g', 'none'] })
    assert.deepEqual(groups, {
      results: [
        { groupId: 'g', errorCode: retry },
        { groupId: 'none', errorCode: errorCodes.GROUP_ID_NOT_FOUND },
      ],
    })
    assert.equal(b.broker.groups.find('g')?.offsets.get('orders', 0)?.offset, 1)
    b.fs.fault = undefined
  })
})
