import type { Clock, Timer } from '../../kit/index.ts'
import type { GroupFacts, HealthFacts, PartitionFacts } from './facts.ts'
import { judgeHealth, type HealthRules, type HealthVerdict } from './policy.ts'

/** What the monitor is told at each look; what needs a memory (how long already) it works out itself. */
export interface HealthSnapshot extends Omit<HealthFacts, 'groups' | 'partitions'> {
  readonly groups: readonly Omit<GroupFacts, 'unsteadyMs'>[]
  readonly partitions: readonly Omit<PartitionFacts, 'idleMs'>[]
}

/** The verdict with what it was made from. */
export interface WorkerHealth extends HealthVerdict, HealthFacts {}

const lookEveryMs = 1000

/**
 * Remembers since when groups are unsteady and partitions stand still, looking once a second; asked in between it
 * looks at once. The times are the clock's monotonic ones, so that a corrected wall clock kills nobody.
 */
export class HealthMonitor {
  readonly #clock: Clock
  readonly #rules: HealthRules
  readonly #snapshot: () => HealthSnapshot
  readonly #unsteadySinceMs = new Map<string, number>()
  readonly #moves = new Map<string, { readonly position: number; readonly sinceMs: number }>()
  #timer: Timer | undefined
  #isStarted = false

  constructor(clock: Clock, rules: HealthRules, snapshot: () => HealthSnapshot) {
    this.#clock = clock
    this.#rules = rules
    this.#snapshot = snapshot
  }

  /** Idempotent. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#tick()
  }

  stop(): void {
    this.#isStarted = true
    this.#timer?.cancel()
  }

  look(): WorkerHealth {
    const nowMs = this.#clock.monotonicMs()
    const now = this.#snapshot()
    const isAway = new Set(
      now.clusters
        .filter(({ unreachableMs }) => unreachableMs !== undefined)
        .map((one) => one.name),
    )
    const groups = now.groups.map((group): GroupFacts => {
      const key = `${group.cluster} ${group.groupId}`
      // Time with the brokers away does not count: no restart brings them back.
      const isSteady = group.phase === 'steady' || group.phase === 'assigned'
      if (isSteady || isAway.has(group.cluster)) {
        this.#unsteadySinceMs.delete(key)
        return { ...group, unsteadyMs: 0 }
      }
      const sinceMs = this.#unsteadySinceMs.get(key) ?? nowMs
      this.#unsteadySinceMs.set(key, sinceMs)
      return { ...group, unsteadyMs: nowMs - sinceMs }
    })
    const partitions = now.partitions.map((one): PartitionFacts => {
      const key = `${one.group} ${one.topic}/${one.partition}`
      const before = this.#moves.get(key)
      const isMoving = before?.position !== one.position || one.lag === 0
      const sinceMs = isMoving || isHeld(one.state.kind) ? nowMs : before.sinceMs
      this.#moves.set(key, { position: one.position, sinceMs })
      return { ...one, idleMs: nowMs - sinceMs }
    })
    const gone = new Set(this.#moves.keys())
    for (const { group, topic, partition } of partitions)
      gone.delete(`${group} ${topic}/${partition}`)
    for (const key of gone) this.#moves.delete(key)
    const facts: HealthFacts = { ...now, groups, partitions }
    return { ...judgeHealth(facts, this.#rules), ...facts }
  }

  #tick(): void {
    this.look()
    this.#timer = this.#clock.after(lookEveryMs, () => this.#tick(), { unref: true })
  }
}

/** What stands still for a reason: the time it stood does not count once it may move again. */
function isHeld(kind: string): boolean {
  return kind !== 'waiting' && kind !== 'assigned'
}
