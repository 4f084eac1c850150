import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  isReplaced,
  mergeTopic,
  withLeader,
  zeroUuid,
  type TopicMetadata,
} from './topic-metadata.ts'

const topic = (id: string, ...leaders: readonly (readonly [number, number])[]): TopicMetadata => ({
  name: 'orders',
  id,
  isInternal: false,
  partitions: leaders.map(([leader, leaderEpoch], partition) => ({
    partition,
    leader,
    leaderEpoch,
    replicas: [],
    inSync: [],
    offline: [],
  })),
})

const leadersOf = ({ partitions }: TopicMetadata): number[] =>
  partitions.map(({ leader }) => leader)

describe('what is believed of a topic', () => {
  it('never goes back to an older leader', () => {
    const known = topic('id', [1, 5], [2, 5])
    const merged = mergeTopic(known, topic('id', [3, 4], [3, 6]))
    assert.deepEqual(leadersOf(merged), [1, 3])
  })

  it('takes an election without a leader, and new partitions', () => {
    const merged = mergeTopic(topic('id', [1, 5]), topic('id', [-1, 6], [2, 0]))
    assert.deepEqual(leadersOf(merged), [-1, 2])
  })

  it('starts anew when the topic was created again, though its epochs are smaller', () => {
    const known = topic('id', [1, 5])
    const fresh = topic('other', [2, 0])
    assert.ok(isReplaced(known, fresh))
    assert.deepEqual(leadersOf(mergeTopic(known, fresh)), [2])
  })

  it('cannot tell without ids', () => {
    assert.equal(isReplaced(topic(zeroUuid, [1, 5]), topic('id', [1, 5])), false)
  })

  it('follows a hint only to a later epoch', () => {
    const known = topic('id', [1, 5])
    assert.deepEqual(leadersOf(withLeader(known, 0, 2, 6)), [2])
    assert.equal(withLeader(known, 0, 2, 5), known)
    assert.equal(withLeader(known, 7, 2, 9), known)
  })
})
