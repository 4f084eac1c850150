import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import { memoryFileSystem, openLogStore } from '../../storage/index.ts'
import { brokerSettings } from '../options.ts'
import { alterConfigs, changedConfigs, configOperations } from './alter-configs.ts'
import { Topics } from './topics.ts'

const orders = { resourceType: 2, resourceName: 'orders' }

function set(name: string, value: string): Parameters<typeof alterConfigs>[3] {
  const { set: configOperation } = configOperations
  return (now) => changedConfigs(now, [{ name, value, configOperation }])
}

describe('changes of the configs of a topic', () => {
  it('that come at once are all kept', async () => {
    await using store = await openLogStore({
      folder: '/memory',
      fs: memoryFileSystem(),
      clock: manualClock(),
      reserveBytes: 0,
    })
    const topics = new Topics(store, brokerSettings())
    await store.createTopic({ name: 'orders', partitions: 1 })
    const faults = await Promise.all([
      alterConfigs(topics, orders, false, set('retention.ms', '1000')),
      alterConfigs(topics, orders, false, set('retention.ms', 'soon')),
      alterConfigs(topics, orders, false, set('retention.bytes', '2000')),
      alterConfigs(topics, orders, true, set('segment.ms', '3000')),
    ])
    assert.deepEqual(
      faults.map((fault) => fault?.errorCode),
      [undefined, errorCodes.INVALID_CONFIG, undefined, undefined],
    )
    assert.deepEqual(store.topic('orders')?.configs, {
      'retention.ms': '1000',
      'retention.bytes': '2000',
    })
  })
})
