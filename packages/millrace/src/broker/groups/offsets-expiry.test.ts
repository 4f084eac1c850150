import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../../kit/index.ts'
import { consumerSubscription } from '../../protocol/index.ts'
import { ClassicGroup, type SavedGroup } from './classic-group.ts'
import { GroupOffsets } from './group-offsets.ts'
import { expiredOffsets } from './offsets-expiry.ts'

const startMs = 1_700_000_000_000
const dayMs = 86_400_000

function groupOf(saved: Partial<SavedGroup>): ClassicGroup {
  const group = new ClassicGroup('g', {
    clock: manualClock(startMs),
    initialRebalanceDelayMs: 0,
    maxSize: 10,
    absentGraceMs: 0,
    newMemberId: (prefix) => prefix,
    save: async () => undefined,
    onChange: () => undefined,
  })
  group.restore({
    protocolType: 'consumer',
    generation: 1,
    protocol: 'range',
    leader: null,
    currentStateTimestamp: startMs,
    members: [],
    ...saved,
  })
  return group
}

function offsetsOf(
  commits: Readonly<Record<string, { commitMs?: number; expireMs?: number }>>,
): GroupOffsets {
  const offsets = new GroupOffsets()
  for (const [topic, { commitMs = startMs, expireMs = -1 }] of Object.entries(commits)) {
    offsets.set(topic, 0, {
      offset: 1,
      leaderEpoch: -1,
      metadata: '',
      commitTimestamp: commitMs,
      expireTimestamp: expireMs,
    })
  }
  return offsets
}

function expiredTopics(group: ClassicGroup, offsets: GroupOffsets, days: number): string[] {
  const times = { nowMs: startMs + days * dayMs, retentionMs: 7 * dayMs }
  return expiredOffsets(group, offsets, times).map(({ topic }) => topic)
}

const member = (topics: string[]): SavedGroup['members'][number] => ({
  memberId: 'm',
  groupInstanceId: null,
  clientId: '',
  clientHost: '',
  rebalanceTimeout: 1000,
  sessionTimeout: 1000,
  subscription: consumerSubscription.encode(0, { topics }),
  assignment: Buffer.alloc(0),
})

describe('retention of offsets', () => {
  it('of a tool counts from the commit', () => {
    const tool = groupOf({ protocolType: '' })
    const offsets = offsetsOf({ old: { commitMs: startMs - 5 * dayMs }, new: {} })
    assert.deepEqual(expiredTopics(tool, offsets, 1), [])
    assert.deepEqual(expiredTopics(tool, offsets, 2), ['old'])
    assert.deepEqual(expiredTopics(tool, offsets, 7), ['old', 'new'])
  })

  it('of a group without members counts from when the last one left', () => {
    const group = groupOf({})
    const offsets = offsetsOf({ orders: { commitMs: startMs - 30 * dayMs } })
    assert.deepEqual(expiredTopics(group, offsets, 6.9), [])
    assert.deepEqual(expiredTopics(group, offsets, 7), ['orders'])
  })

  it('at work drops what nobody subscribes to any more, and nothing else', () => {
    const group = groupOf({ leader: 'm', members: [member(['orders'])] })
    const offsets = offsetsOf({ orders: {}, left: {} })
    assert.deepEqual(expiredTopics(group, offsets, 365), ['left'])
    group.stop()
  })

  it('at work drops nothing of a group whose subscriptions it cannot read', () => {
    const subscription = Buffer.from([0, 0, 0xff])
    const broken = groupOf({ leader: 'm', members: [{ ...member([]), subscription }] })
    assert.deepEqual(expiredTopics(broken, offsetsOf({ orders: {} }), 365), [])
    const connect = groupOf({ protocolType: 'connect', leader: 'm', members: [member([])] })
    assert.deepEqual(expiredTopics(connect, offsetsOf({ orders: {} }), 365), [])
    broken.stop()
    connect.stop()
  })

  it('follows the expiry that an old client asked for', () => {
    const offsets = offsetsOf({ orders: { expireMs: startMs + dayMs } })
    assert.deepEqual(expiredTopics(groupOf({}), offsets, 0.9), [])
    assert.deepEqual(expiredTopics(groupOf({}), offsets, 1), ['orders'])
  })
})
