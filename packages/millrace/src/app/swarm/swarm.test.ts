import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'

import { manualClock, type ManualClock } from '../../kit/index.ts'
import type { WorkerStatus } from '../control/index.ts'
import type { SwarmRules } from './policy.ts'
import { Swarm } from './swarm.ts'

const rules: SwarmRules = {
  reportEveryMs: 10_000,
  lookEveryMs: 30_000,
  silentAfterMs: 60_000,
  restartAfterMs: 5000,
  memoryLimitBytes: 1000,
  crashLimit: 5,
  shutdownTimeoutMs: 60_000,
}

/** A process as far as a parent sees it. */
class FakeProcess extends EventEmitter {
  readonly pid: number
  readonly signals: string[] = []
  exitCode: number | null = null
  signalCode: string | null = null

  constructor(pid: number) {
    super()
    this.pid = pid
  }

  kill(signal: string): boolean {
    this.signals.push(signal)
    if (signal === 'SIGKILL') this.end(null, 'SIGKILL')
    return true
  }

  end(code: number | null, signal: string | null = null): void {
    this.exitCode = code
    this.signalCode = signal
    this.emit('exit', code, signal)
  }

  report(more: Partial<WorkerStatus> = {}): void {
    const status = { state: 'running', isLive: true, isReady: true, reasons: [], alarms: [] }
    this.emit('message', { millrace: 'report', status: { ...status, memoryBytes: 1, ...more } })
  }
}

interface Stage {
  readonly clock: ManualClock
  readonly swarm: Swarm
  /** Every process that was started, oldest first. */
  readonly started: FakeProcess[]
}

function stage(children = 2): Stage {
  const clock = manualClock()
  const started: FakeProcess[] = []
  const swarm = new Swarm({
    children: Array.from({ length: children }, (_, at) => ({
      index: at + 1,
      name: `worker:${at + 1}`,
      instanceId: undefined,
      worker: undefined,
    })),
    rules,
    clock,
    fork: () => {
      const made = new FakeProcess(started.length + 100)
      started.push(made)
      return made as unknown as ChildProcess
    },
    noteOf: () => undefined,
  })
  swarm.start()
  return { clock, swarm, started }
}

/** Lets what waits for an event that was emitted have its turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a swarm', () => {
  it('is ready once all of its children are', async () => {
    const { swarm, started } = stage()
    assert.equal(swarm.ready().isOk, false)
    assert.equal(swarm.live().isOk, true, 'whoever starts is the parent’s business')
    started[0]?.report()
    assert.equal(swarm.ready().isOk, false)
    started[1]?.report({ isReady: false, reasons: ['the group mail is joining'] })
    assert.deepEqual((swarm.ready().body as { reasons: unknown }).reasons, [
      'worker:2: the group mail is joining',
    ])
    started[1]?.report()
    assert.equal(swarm.ready().isOk, true)
    await swarm.running
    started[0]?.report({ isLive: false, reasons: ['a job hangs'] })
    assert.equal(swarm.live().isOk, false)
  })

  it('kills a child that is silent, and starts it again, later each time', async () => {
    const { clock, started } = stage(1)
    started[0]?.report()
    clock.advance(60_000)
    assert.deepEqual(started[0]?.signals, [])
    clock.advance(30_000)
    assert.deepEqual(started[0]?.signals, ['SIGKILL'])
    await turn()
    clock.advance(4999)
    assert.equal(started.length, 1)
    clock.advance(1)
    assert.equal(started.length, 2)
    started[1]?.end(7)
    await turn()
    clock.advance(9999)
    assert.equal(started.length, 2)
    clock.advance(1)
    assert.equal(started.length, 3)
    // One that has lasted counts as well again.
    for (let reports = 0; reports < 12; reports++) {
      started[2]?.report()
      clock.advance(10_000)
    }
    started[2]?.end(null, 'SIGSEGV')
    await turn()
    clock.advance(5000)
    assert.equal(started.length, 4)
  })

  it('stops one that is too large in good order, and starts it at once', async () => {
    const { clock, started } = stage(1)
    started[0]?.report({ memoryBytes: 1001 })
    clock.advance(30_000)
    assert.deepEqual(started[0]?.signals, ['SIGTERM'])
    started[0]?.end(0)
    await turn()
    clock.advance(0)
    assert.equal(started.length, 2)
  })

  it('ends with 1 when a child cannot even start', async () => {
    const { swarm, started } = stage()
    started[0]?.end(1)
    await turn()
    assert.deepEqual(started[1]?.signals, ['SIGTERM'])
    started[1]?.end(null, 'SIGTERM')
    assert.equal(await swarm.done, 1)
  })

  it('starts one again that ended with 1 after it had run', async () => {
    const { clock, swarm, started } = stage(1)
    started[0]?.report()
    started[0]?.end(1)
    await turn()
    clock.advance(5000)
    assert.equal(started.length, 2)
    assert.equal(swarm.state, 'supervising')
  })

  it('passes a stop on, forces with the second, and kills 15 s after the children’s own bound', async () => {
    const { clock, swarm, started } = stage()
    for (const one of started) one.report()
    const stopped = swarm.stop()
    assert.deepEqual(
      started.map(({ signals }) => signals),
      [['SIGTERM'], ['SIGTERM']],
    )
    void swarm.stop()
    assert.deepEqual(started[1]?.signals, ['SIGTERM', 'SIGTERM'])
    started[0]?.end(0)
    await turn()
    clock.advance(74_999)
    assert.equal(started[1]?.exitCode, null)
    clock.advance(1)
    assert.equal(await stopped, 2)
    assert.equal(swarm.state, 'terminated')
    clock.advance(3_600_000)
    assert.equal(started.length, 2, 'nothing is started again')
  })

  it('starts nothing that waited for its time when it stops', async () => {
    const { clock, swarm, started } = stage(1)
    started[0]?.report()
    started[0]?.end(7)
    await turn()
    assert.equal(await swarm.stop(), 0)
    clock.advance(3_600_000)
    assert.equal(started.length, 1)
  })

  it('renews its children one by one, the next when the one before runs', async () => {
    const { clock, swarm, started } = stage()
    for (const one of started) one.report()
    const rolled = swarm.roll()
    assert.equal(swarm.roll(), rolled, 'once at a time')
    assert.deepEqual(
      started.map(({ signals }) => signals.length),
      [1, 0],
    )
    started[0]?.end(0)
    await turn()
    clock.advance(0)
    await turn()
    assert.equal(started[1]?.signals.length, 0)
    started[2]?.report()
    await turn()
    clock.advance(50)
    await turn()
    assert.deepEqual(started[1]?.signals, ['SIGTERM'])
    started[1]?.end(0)
    await turn()
    clock.advance(0)
    started[3]?.report()
    await turn()
    clock.advance(50)
    await rolled
    assert.equal(started.length, 4)
  })
})
