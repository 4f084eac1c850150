import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import {
  scriptedBroker,
  silence,
  type ApiName,
  type Script,
} from '../../../packages/millrace/src/testing/index.ts'
import { assigned, batchOf, listing, serving, topic, until } from './support/scripting.ts'

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

const handles = (): string[] =>
  process.getActiveResourcesInfo().filter((name) => name !== 'Immediate' && name !== 'PipeWrap')

describe('a member that closes', () => {
  for (const step of steps) {
    it(`while ${step} is not answered ends, and leaves no timer or socket`, async () => {
      const before = handles().length
      {
        const on: Script = {
          fetch: serving(logs),
          listOffsets: listing(logs),
          syncGroup: () => assigned(0),
          [step]: () => silence,
        }
        await using broker = await scriptedBroker({ topics: { [topic]: { partitions: 1 } }, on })
        const client = openClient({ brokers: [broker.address] })
        const revoked: number[] = []
        const member = client.joinGroup({
          groupId: 'g',
          topics: [topic],
          heartbeatIntervalMs: 10,
          drainMs: 100,
          onRevoked: (list) => void revoked.push(list.length),
        })
        if (step === 'offsetCommit') {
          await member.ready()
          const [partition] = member.owned
          assert.ok(partition)
          member.commit([{ partition, offset: 1 }]).then(
            (outcome) => assert.deepEqual(outcome, ['fenced']),
            () => assert.fail('the outcome of a commit that nobody answered is fenced'),
          )
        }
        await broker.received(step)
        await client.close({ timeoutMs: 1000 })
        assert.equal(member.state, 'closed')
        assert.deepEqual(member.owned, [])
        await member.close()
      }
      await until('nothing is left open', () => handles().length <= before)
    })
  }

  it('rejects what waits for it', async () => {
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      on: { joinGroup: () => silence },
    })
    const client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({ groupId: 'g', topics: [topic] })
    await broker.received('joinGroup')
    const rejected = assert.rejects(member.ready(), /has ended/)
    await client.close()
    await rejected
  })

  it('ends a reader too, wherever it waits', async () => {
    for (const step of ['metadata', 'listOffsets', 'fetch'] as const) {
      await using broker = await scriptedBroker({
        topics: { [topic]: { partitions: 1 } },
        on: { fetch: serving(logs), listOffsets: listing(logs), [step]: () => silence },
      })
      const client = openClient({ brokers: [broker.address] })
      const reader = client.reader({ topics: [topic] })
      const ended = assert.rejects(reader.available())
      await broker.received(step)
      await client.close()
      await ended
    }
  })
})
