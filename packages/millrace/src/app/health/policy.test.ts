import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { manualClock } from '../../kit/index.ts'
import type { OwnerState } from '../owner/partition-owner.ts'
import type { HealthFacts, PartitionFacts } from './facts.ts'
import { HealthMonitor, type HealthSnapshot } from './health-monitor.ts'
import { judgeHealth } from './policy.ts'

const minute = 60_000
const rules = { stalledAfterMs: 5 * minute, stuckAfterMs: 5 * minute, unsteadyAfterMs: 2 * minute }

const partition: PartitionFacts = {
  group: 'mail',
  consumer: 'mail',
  topic: 'orders',
  partition: 0,
  state: { kind: 'waiting' },
  position: 7,
  lag: 0,
  brokerLag: undefined,
  idleMs: 0,
  failingMs: 0,
  jobs: [],
  slowAfterMs: 5 * minute,
  lanes: { busy: 0, size: 1 },
}
const group = { group: 'mail', groupId: 'shop_mail', cluster: 'main', phase: 'steady' }
const facts: HealthFacts = {
  state: 'running',
  fatal: undefined,
  clusters: [{ name: 'main', unreachableMs: undefined }],
  groups: [{ ...group, unsteadyMs: 0 }],
  partitions: [partition],
  runnables: [{ name: 'relay', isLive: true, isReady: true, reasons: [] }],
}
const judge = (more: Partial<HealthFacts>): ReturnType<typeof judgeHealth> =>
  judgeHealth({ ...facts, ...more }, rules)
const withPartition = (more: Partial<PartitionFacts>): ReturnType<typeof judgeHealth> =>
  judge({ partitions: [{ ...partition, ...more }] })

describe('health', () => {
  it('is live and ready while everything runs', () => {
    assert.deepEqual(judge({}), {
      isLive: true,
      isReady: true,
      notLive: [],
      notReady: [],
      alarms: [],
    })
  })

  it('is not live when a partition that nothing holds does not move', () => {
    const stalled = { lag: 3, idleMs: 6 * minute }
    assert.deepEqual(withPartition(stalled).notLive, [
      'orders/0 has 3 messages to handle and did not move for 6m',
    ])
    const held: readonly OwnerState[] = [
      { kind: 'paused', reason: 'user', untilMs: Infinity },
      { kind: 'blocked', code: 'X', error: undefined },
      { kind: 'running' },
      { kind: 'draining' },
    ]
    for (const state of held) assert.ok(withPartition({ ...stalled, state }).isLive, state.kind)
    assert.ok(withPartition({ ...stalled, lag: 0 }).isLive)
    assert.ok(withPartition({ ...stalled, idleMs: 4 * minute }).isLive)
  })

  it('is not live while a job runs longer than slowAfter, unless that is off', () => {
    const jobs = [{ text: 'Mail orders/0:7', ageMs: 6 * minute }]
    const running = { state: { kind: 'running' }, jobs } as const
    assert.deepEqual(withPartition(running).notLive, ['Mail orders/0:7 has been running for 6m'])
    assert.ok(withPartition({ ...running, slowAfterMs: undefined }).isLive)
  })

  it('is not live when a group hangs in a rebalance, or the worker ends by itself', () => {
    const joining = { ...group, phase: 'joining', unsteadyMs: 3 * minute }
    assert.deepEqual(judge({ groups: [joining] }).notLive, [
      'the group mail has been joining for 3m',
    ])
    assert.ok(judge({ groups: [{ ...joining, unsteadyMs: minute }] }).isLive)
    assert.deepEqual(judge({ fatal: 'fenced' }).notLive, ['the worker ends: fenced'])
  })

  it('is not ready while it does not run, a group is not steady, or brokers are away', () => {
    const verdict = judge({
      state: 'stopping',
      clusters: [{ name: 'main', unreachableMs: 61_000 }],
      groups: [{ ...group, phase: 'joining', unsteadyMs: 0 }],
    })
    assert.equal(verdict.isLive, true)
    assert.deepEqual(verdict.notReady, [
      'the worker is stopping',
      'the cluster main has been unreachable for 61s',
      'the group mail is joining',
    ])
  })

  it('takes a stuck or blocked partition as an alarm and as nothing else', () => {
    const stuck = withPartition({
      failingMs: 6 * minute,
      state: { kind: 'paused', reason: 'backoff', untilMs: 0 },
    })
    assert.deepEqual(stuck.alarms, ['orders/0 is stuck: its next message has failed for 6m'])
    const blocked = withPartition({ state: { kind: 'blocked', code: 'MR_X', error: undefined } })
    assert.deepEqual(blocked.alarms, ['orders/0 is blocked: MR_X'])
    for (const { isLive, isReady } of [stuck, blocked]) assert.ok(isLive && isReady)
  })

  it('includes what runs beside the consumers', () => {
    const relay = { name: 'relay', isLive: false, isReady: false, reasons: ['no lease', 'late'] }
    const verdict = judge({ runnables: [relay] })
    assert.deepEqual(verdict.notLive, ['relay: no lease; late'])
    assert.deepEqual(verdict.notReady, ['relay: no lease; late'])
  })
})

describe('a health monitor', () => {
  const snapshot = (more: Partial<HealthSnapshot> = {}): HealthSnapshot => ({
    ...facts,
    groups: [group],
    ...more,
  })
  const monitored = (): {
    clock: ReturnType<typeof manualClock>
    monitor: HealthMonitor
    show: (next: HealthSnapshot) => void
  } => {
    const clock = manualClock()
    let now = snapshot()
    const monitor = new HealthMonitor(clock, rules, () => now)
    return { clock, monitor, show: (next) => void (now = next) }
  }

  it('counts the time of a rebalance only while the brokers answer', () => {
    const { clock, monitor, show } = monitored()
    monitor.start()
    show(snapshot({ groups: [{ ...group, phase: 'joining' }] }))
    clock.advance(3 * minute)
    assert.equal(monitor.look().isLive, false)
    show(
      snapshot({
        groups: [{ ...group, phase: 'joining' }],
        clusters: [{ name: 'main', unreachableMs: 3 * minute }],
      }),
    )
    assert.equal(monitor.look().isLive, true)
    show(snapshot({ groups: [{ ...group, phase: 'joining' }] }))
    clock.advance(minute)
    assert.equal(monitor.look().isLive, true, 'it begins anew')
    monitor.stop()
    assert.equal(clock.waiting, 0)
  })

  it('counts the time a partition stands from when nothing holds it any more', () => {
    const { clock, monitor, show } = monitored()
    const lagging = { ...partition, lag: 3 }
    const held = { ...lagging, state: { kind: 'paused', reason: 'user', untilMs: 0 } } as const
    monitor.start()
    show(snapshot({ partitions: [held] }))
    clock.advance(60 * minute)
    show(snapshot({ partitions: [lagging] }))
    clock.advance(4 * minute)
    assert.equal(monitor.look().isLive, true)
    clock.advance(2 * minute)
    assert.equal(monitor.look().isLive, false)
    show(snapshot({ partitions: [{ ...lagging, position: 8 }] }))
    assert.equal(monitor.look().isLive, true)
    monitor.stop()
  })
})
