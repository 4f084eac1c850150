import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import {
  disconnect,
  scriptedBroker,
  type ApiName,
  type Script,
} from '../../../packages/millrace/src/testing/index.ts'
import { assigned, batchOf, listing, serving, topic } from './support/scripting.ts'

const logs = [{ batches: [batchOf(0, 5)] }]
const steps = [
  'apiVersions',
  'metadata',
  'findCoordinator',
  'joinGroup',
  'syncGroup',
  'heartbeat',
  'offsetFetch',
  'listOffsets',
  'fetch',
  'offsetCommit',
] as const satisfies readonly ApiName[]

const healthy: Script = {
  fetch: serving(logs),
  listOffsets: listing(logs),
  syncGroup: () => assigned(0),
}

/** A script that drops the connection at the first call of one API. */
function droppingAt(step: (typeof steps)[number]): Script {
  const usual = healthy[step] as ((request: unknown, call: unknown) => never) | undefined
  const dropping = (request: unknown, call: { readonly count: number }): unknown =>
    call.count === 1 ? disconnect : usual?.(request, call)
  return { ...healthy, [step]: dropping }
}

describe('a member whose connection is lost', () => {
  for (const step of steps) {
    it(`at ${step} goes on as a member`, async () => {
      await using broker = await scriptedBroker({
        topics: { [topic]: { partitions: 1 } },
        on: droppingAt(step),
      })
      await using client = openClient({ brokers: [broker.address], random: () => 0.5 })
      const lost: unknown[] = []
      const member = client.joinGroup({
        groupId: 'g',
        topics: [topic],
        heartbeatIntervalMs: 10,
        onLost: (partitions) => void lost.push(partitions),
      })
      await member.ready()
      const [first] = member.owned
      assert.ok(first)
      await first.available()
      assert.deepEqual(
        first.take(5).map(({ offset }) => offset),
        [0, 1, 2, 3, 4],
      )
      assert.deepEqual(await member.commit([{ partition: first, offset: 5 }]), ['committed'])
      await broker.received('heartbeat', 3)
      assert.equal(member.state, 'steady')
      assert.deepEqual(lost, [])
      await member.close()
      assert.equal(broker.asked('leaveGroup').length, 1)
    })
  }

  it('finds the coordinator that has moved, with its tenure', async () => {
    let coordinator = 0
    const on: Script = {
      ...healthy,
      findCoordinator({ coordinatorKeys }) {
        const [host = '', port] = (broker.addresses[coordinator] ?? '').split(':')
        const at = { nodeId: coordinator, host, port: Number(port) }
        return { coordinators: coordinatorKeys.map((key) => ({ key, ...at })) }
      },
      heartbeat: (_, { node }) => ({ errorCode: node === coordinator ? 0 : 16 }),
    }
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      nodes: 2,
    })
    broker.on(on)
    await using client = openClient({ brokers: [broker.address], random: () => 0.5 })
    const member = client.joinGroup({ groupId: 'g', topics: [topic], heartbeatIntervalMs: 10 })
    await member.ready()
    const [first] = member.owned
    await broker.received('heartbeat', 2)
    coordinator = 1
    await broker.until('heartbeats at the other node', () =>
      broker.asked('heartbeat').some(({ node }) => node === 1),
    )
    assert.equal(broker.asked('joinGroup').length, 1)
    assert.equal(first?.isOwned, true)
    assert.ok(first)
    assert.deepEqual(await member.commit([{ partition: first, offset: 1 }]), ['committed'])
  })
})
