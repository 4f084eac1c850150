import type { DeliveredMessage } from '../message/message.ts'
import type { OrderBy } from './options.ts'
import { Queue } from './queue.ts'
import { scopeOf, type ScopeName } from './scope-of.ts'

type ScopeState = 'ready' | 'bound' | 'resting'

/** Messages that follow each other. One without order is alone in a scope of its own. */
class Scope {
  readonly name: ScopeName
  readonly queue = new Queue<DeliveredMessage>()
  state: ScopeState = 'ready'
  /** Of a bound one: what its lane works on. */
  taken: DeliveredMessage[] = []
  /** Of a resting one: when it may go on. */
  dueMs = 0

  constructor(name: ScopeName) {
    this.name = name
  }
}

/** What one lane works on: messages in the order of their offsets, and the scopes that are bound to it meanwhile. */
export interface LaneJob {
  readonly messages: readonly DeliveredMessage[]
  readonly scopes: readonly Scope[]
}

export interface ScheduleRules {
  readonly size: number
  readonly orderBy: OrderBy | null | undefined
  /** Most messages of a job. */
  readonly maxMessages: number
  /** Must have a job of its own. */
  readonly isAlone: (message: DeliveredMessage) => boolean
}

/**
 * Which messages of a partition may start now. Pure: it runs nothing and knows no clock.
 *
 *     ready     scopes with messages, none of them running: taken in turn
 *     bound     scopes whose messages one lane works on; what arrives for them waits
 *     resting   scopes in back-off: they hold no lane
 */
export class LaneSchedule {
  readonly #rules: ScheduleRules
  readonly #scopes = new Map<ScopeName, Scope>()
  readonly #ready = new Queue<Scope>()
  /** A binary heap by `dueMs`, the first one due on top. */
  #resting: Scope[] = []
  #readyMessages = 0
  #busy = 0

  constructor(rules: ScheduleRules) {
    this.#rules = rules
  }

  get busy(): number {
    return this.#busy
  }

  get size(): number {
    return this.#rules.size
  }

  get hasFreeLane(): boolean {
    return this.#busy < this.#rules.size
  }

  get readyScopes(): number {
    return this.#ready.length
  }

  get readyMessages(): number {
    return this.#readyMessages
  }

  get isResting(): boolean {
    return this.#resting.length > 0
  }

  /** When the next back-off ends; Infinity without one. */
  get nextDueMs(): number {
    return this.#resting[0]?.dueMs ?? Infinity
  }

  add(message: DeliveredMessage): void {
    const name = scopeOf(message, this.#rules.orderBy)
    let scope = name === undefined ? undefined : this.#scopes.get(name)
    if (scope === undefined) {
      scope = new Scope(name)
      if (name !== undefined) this.#scopes.set(name, scope)
      this.#ready.push(scope)
    }
    scope.queue.push(message)
    if (scope.state === 'ready') this.#readyMessages++
  }

  /** Back-offs that have run out. */
  wake(nowMs: number): void {
    for (let first = this.#resting[0]; first !== undefined; first = this.#resting[0]) {
      if (first.dueMs > nowMs) return
      this.#popResting()
      this.#makeReady(first)
    }
  }

  /** Ends every back-off. */
  wakeAll(): void {
    const resting = this.#resting.toSorted((left, right) => left.dueMs - right.dueMs)
    this.#resting = []
    for (const scope of resting) this.#makeReady(scope)
  }

  /** The next job, bound to a lane until `release`; undefined when no lane is free or nothing may start. */
  take(): LaneJob | undefined {
    if (!this.hasFreeLane || this.#ready.length === 0) return undefined
    this.#busy++
    let room = this.#rules.maxMessages
    const scopes: Scope[] = []
    for (let scope = this.#ready.peek(); scope !== undefined; scope = this.#ready.peek()) {
      const head = scope.queue.peek() as DeliveredMessage
      const isAlone = this.#rules.isAlone(head)
      if (isAlone && scopes.length > 0) break
      this.#bind(scope, isAlone ? 1 : room)
      scopes.push(scope)
      room -= scope.taken.length
      if (isAlone || room === 0) break
    }
    const [only] = scopes
    if (scopes.length === 1 && only !== undefined) return { messages: only.taken, scopes }
    const messages = scopes.flatMap(({ taken }) => taken)
    messages.sort((left, right) => left.offset - right.offset)
    return { messages, scopes }
  }

  /**
   * The lane is free again, and so are its scopes. What is not done goes back to the front of its scope.
   * @param restUntilMs - scopes with something left rest until then; undefined: they are ready at once
   * @param isFirst - they come before all others, as if they had not been taken
   */
  release(job: LaneJob, restUntilMs: number | undefined, isFirst = false): void {
    this.#busy--
    for (const scope of job.scopes.toReversed()) {
      let isLeft = false
      for (const message of scope.taken.toReversed()) {
        if (message.isDone) continue
        scope.queue.unshift(message)
        isLeft = true
      }
      scope.taken = []
      if (scope.queue.length === 0) {
        if (this.#scopes.get(scope.name) === scope) this.#scopes.delete(scope.name)
      } else if (isLeft && restUntilMs !== undefined) {
        scope.state = 'resting'
        scope.dueMs = restUntilMs
        this.#pushResting(scope)
      } else {
        this.#makeReady(scope, isFirst)
      }
    }
  }

  /** Forgets what is not bound to a lane. */
  clear(): void {
    this.#scopes.clear()
    this.#ready.clear()
    this.#resting = []
    this.#readyMessages = 0
  }

  #bind(scope: Scope, room: number): void {
    this.#ready.shift()
    // What stays behind in the scope waits for the lane as well.
    this.#readyMessages -= scope.queue.length
    scope.state = 'bound'
    while (scope.taken.length < room) {
      const next = scope.queue.peek()
      if (next === undefined) return
      if (scope.taken.length > 0 && this.#rules.isAlone(next)) return
      scope.queue.shift()
      scope.taken.push(next)
    }
  }

  #makeReady(scope: Scope, isFirst = false): void {
    scope.state = 'ready'
    this.#readyMessages += scope.queue.length
    if (isFirst) this.#ready.unshift(scope)
    else this.#ready.push(scope)
  }

  #pushResting(scope: Scope): void {
    const heap = this.#resting
    let at = heap.push(scope) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above] as Scope
      if (parent.dueMs <= scope.dueMs) break
      heap[at] = parent
      at = above
    }
    heap[at] = scope
  }

  #popResting(): void {
    const heap = this.#resting
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      const right = heap[below + 1]
      if (right !== undefined && right.dueMs < (heap[below] as Scope).dueMs) below++
      const child = heap[below] as Scope
      if (child.dueMs >= last.dueMs) break
      heap[at] = child
      at = below
    }
    heap[at] = last
  }
}
