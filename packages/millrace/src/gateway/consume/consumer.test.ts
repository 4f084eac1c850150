import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type {
  Client,
  CommitOutcome,
  GroupMember,
  GroupOptions,
  OwnedPartition,
} from '../../client/index.ts'
import { deferred, manualClock, type Deferred } from '../../kit/index.ts'
import { consumerOptions } from '../properties/index.ts'
import { parseAck } from './ack.ts'
import { Consumer } from './consumer.ts'

interface Commit {
  readonly offset: number
  readonly answer: Deferred<readonly CommitOutcome[]>
}

/** A group whose every step the test takes. */
class ScriptedGroup {
  readonly commits: Commit[] = []
  readonly members: { readonly options: GroupOptions; readonly closed: Deferred<void> }[] = []
  readonly owned = {
    topic: 't',
    partition: 0,
    isOwned: true,
    position: 0,
    committed: null,
    lag: 0,
    failure: null,
    take: () => [],
    available: () => new Promise<void>(() => undefined),
    resume: () => undefined,
  } as unknown as OwnedPartition

  readonly client = {
    joinGroup: (options: GroupOptions): GroupMember => {
      const closed: Deferred<void> = deferred()
      this.members.push({ options, closed })
      return {
        owned: [this.owned],
        state: 'steady',
        ready: () => Promise.resolve(),
        commit: (entries: readonly { readonly offset: number }[]) => {
          const answer = deferred<readonly CommitOutcome[]>()
          this.commits.push({ offset: entries[0]?.offset ?? -1, answer })
          return answer.promise
        },
        close: () => closed.promise,
      } as unknown as GroupMember
    },
    close: () => Promise.resolve(),
  } as unknown as Client

  consumer(): Consumer {
    return new Consumer({
      id: 'g:m|t',
      groupId: 'g',
      user: { name: 'default', isKnown: true, may: () => true },
      topics: ['t'],
      options: consumerOptions({}),
      clock: manualClock(),
      openClient: () => this.client,
      onMissing: () => undefined,
      onRebalance: () => undefined,
    })
  }

  assign(): void {
    void this.members.at(-1)?.options.onAssigned?.([this.owned])
  }

  revoke(): Promise<void> {
    return Promise.resolve(this.members.at(-1)?.options.onRevoked?.([this.owned]))
  }

  async answer(at: number): Promise<void> {
    this.commits[at]?.answer.resolve(['committed'])
    await settled()
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a consumer of the gateway', () => {
  it('commits what is acknowledged while its partitions go', async () => {
    const group = new ScriptedGroup()
    const consumer = group.consumer()
    group.assign()
    assert.equal(consumer.ack(parseAck('t:0:4')), 'stored')
    const revoked = group.revoke()
    assert.deepEqual(
      group.commits.map(({ offset }) => offset),
      [5],
    )
    assert.equal(consumer.ack(parseAck('t:0:7')), 'stored')
    await group.answer(0)
    assert.deepEqual(
      group.commits.map(({ offset }) => offset),
      [5, 8],
    )
    assert.equal(consumer.ack(parseAck('t:0:9')), 'gone')
    await group.answer(1)
    await revoked
  })

  it('stores nothing for a partition that was lost', async () => {
    const group = new ScriptedGroup()
    const consumer = group.consumer()
    group.assign()
    assert.equal(consumer.ack(parseAck('t:0:4')), 'stored')
    await group.members[0]?.options.onLost?.([group.owned])
    assert.equal(consumer.ack(parseAck('t:0:5')), 'gone')
    assert.deepEqual(group.commits, [])
  })

  it('is not closed before a member that was silent has given back what it held', async () => {
    const group = new ScriptedGroup()
    const consumer = group.consumer()
    group.assign()
    consumer.leave()
    consumer.take()
    assert.equal(group.members.length, 2)
    let isClosed = false
    const closed = consumer.close().then(() => (isClosed = true))
    group.members[1]?.closed.resolve()
    await settled()
    assert.equal(isClosed, false)
    group.members[0]?.closed.resolve()
    await closed
  })

  it('keeps positions beyond what a number holds', () => {
    const group = new ScriptedGroup()
    const consumer = group.consumer()
    group.assign()
    assert.equal(consumer.ack(parseAck('t:0:9223372036854775806')), 'stored')
    assert.equal(consumer.ack(parseAck('t:0:1')), 'stored')
  })
})
