import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Client, GroupMember, GroupOptions, OwnedPartition } from '../../client/index.ts'
import { manualClock, Slots } from '../../kit/index.ts'
import { MemoryPartition } from '../../testing/memory-partition.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import { defineApp, defineConsumer, defineTopic } from '../index.ts'
import type { SourceMessage } from '../ports.ts'
import { GroupRunner } from './group-runner.ts'

const users = defineTopic('users')

const message: SourceMessage = {
  topic: 'users',
  partition: 0,
  offset: 0,
  timestamp: 0,
  timestampType: 'create',
  key: null,
  value: Buffer.from('1'),
  headers: [],
  receivedAt: 0,
}

describe('a group that ends', () => {
  it('starts nothing in partitions that come while it stops', async () => {
    const clock = manualClock()
    let handled = 0
    const consumer = defineConsumer({ topic: users, each: () => void handled++ })
    const resolved = resolveConfig({ app: defineApp({ consumers: [consumer] }) }, { env: {} })
    const never = (): Promise<never> => Promise.reject(new Error('not asked for here'))
    const runner = new GroupRunner(
      resolved.plans,
      resolved,
      {
        clock,
        random: Math.random,
        slots: new Slots(1),
        log: { debug() {}, info() {}, warn() {}, error() {} },
        workerName: 'test',
        send: never,
        sendLetter: never,
        onCritical: () => undefined,
      },
      () => undefined,
    )
    let options: GroupOptions | undefined
    const member = { ready: () => Promise.resolve(), close: () => Promise.resolve() }
    const client = {
      joinGroup(given: GroupOptions): GroupMember {
        options = given
        return member as unknown as GroupMember
      },
    }
    await runner.join(client as unknown as Client)
    await runner.finish(1000, 1000)
    const partition = new MemoryPartition('users', 0, [message]) as unknown as OwnedPartition
    await options?.onAssigned?.([partition])
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(handled, 0)
    await options?.onRevoked?.([partition])
    await runner.leave(1000)
    assert.equal(clock.waiting, 0)
  })
})
