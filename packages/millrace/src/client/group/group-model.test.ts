import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { cooperativeSticky, partitionKey, range, type TopicPartition } from './assignors/index.ts'
import { GroupSession } from './session.ts'
import type { SessionAction, SessionEvent } from './session-messages.ts'
import {
  decodeAssignment,
  decodeMember,
  encodeAssignment,
  encodeSubscription,
} from './subscription.ts'

/**
 * Sessions against a small coordinator, both without time and wire: every message is an envelope, and
 * the property decides which one arrives next, which is lost, who crashes.
 *
 * What must hold in every state: no partition has two members that would both hand over its messages
 * with the coordinator's consent. (A member that was removed may still believe in its partitions
 * until it hears of it; its commits are refused.)
 */

const assignor = { cooperative: cooperativeSticky, eager: range }
const counts = new Map([['t', 5]])

interface Seat {
  readonly id: string
  metadata: Buffer
  /** Waiting to be answered. */
  join?: ((generation: number) => void) | undefined
  sync?: ((errorCode: number, partitions: readonly TopicPartition[]) => void) | undefined
}

/** Kafka's classic group, as far as members can tell. */
class Coordinator {
  state: 'empty' | 'joining' | 'syncing' | 'stable' = 'empty'
  generation = 0
  readonly seats = new Map<string, Seat>()
  leader = ''
  #ids = 0

  check(memberId: string, generation: number): number {
    if (!this.seats.has(memberId)) return 25
    return generation === this.generation ? 0 : 22
  }

  join(
    memberId: string,
    metadata: Buffer,
    answer: (code: number, seat: Seat | undefined) => void,
  ): void {
    if (memberId !== '' && !this.seats.has(memberId)) {
      answer(25, undefined)
      return
    }
    const id = memberId === '' ? `m${++this.#ids}` : memberId
    const seat: Seat = this.seats.get(id) ?? { id, metadata }
    seat.metadata = metadata
    seat.join = () => answer(0, seat)
    this.seats.set(id, seat)
    this.#prepare()
    this.#complete()
  }

  sync(
    memberId: string,
    generation: number,
    assignments: ReadonlyMap<string, Buffer>,
    answer: (code: number, partitions: readonly TopicPartition[]) => void,
  ): void {
    const code = this.check(memberId, generation)
    const seat = this.seats.get(memberId)
    if (code !== 0 || !seat) return answer(code, [])
    if (this.state === 'joining') return answer(27, [])
    seat.sync = answer
    if (memberId === this.leader && this.state === 'syncing') {
      this.assigned = assignments
      this.state = 'stable'
    }
    if (this.state === 'stable') this.#deliver()
  }

  assigned: ReadonlyMap<string, Buffer> = new Map()

  heartbeat(memberId: string, generation: number): number {
    const code = this.check(memberId, generation)
    return code === 0 && this.state === 'joining' ? 27 : code
  }

  /** A session runs out; who waits for an answer is known to be there. */
  expire(memberId: string): void {
    const seat = this.seats.get(memberId)
    if (seat && !seat.join && !seat.sync) this.remove(memberId)
  }

  remove(memberId: string): void {
    if (!this.seats.delete(memberId)) return
    if (this.seats.size === 0) this.state = 'empty'
    else {
      this.#prepare()
      this.#complete()
    }
  }

  #prepare(): void {
    if (this.state === 'joining') return
    this.state = 'joining'
    for (const seat of this.seats.values()) {
      seat.sync?.(27, [])
      seat.sync = undefined
    }
  }

  #complete(): void {
    const seats = Array.from(this.seats.values())
    if (this.state !== 'joining' || seats.some(({ join }) => !join)) return
    this.generation++
    this.state = 'syncing'
    this.leader = seats[0]?.id ?? ''
    for (const seat of seats) {
      const { join } = seat
      seat.join = undefined
      join?.(this.generation)
    }
  }

  #deliver(): void {
    for (const seat of this.seats.values()) {
      seat.sync?.(0, decodeAssignment(this.assigned.get(seat.id) ?? Buffer.alloc(0)))
      seat.sync = undefined
    }
  }
}

class Player {
  readonly session: GroupSession
  readonly isEager: boolean
  /** Answers and other events on their way to the session. */
  readonly inbox: SessionEvent[] = []
  hasHeartbeat = false
  hasBackoff = false
  isRevoking = false
  isGone = false

  constructor(isEager: boolean) {
    this.isEager = isEager
    this.session = new GroupSession({
      groupId: 'g',
      isStatic: false,
      isEager,
      sessionTimeoutMs: 45_000,
      heartbeatIntervalMs: 3000,
      rebalanceTimeoutMs: 60_000,
      backoffMs: () => 100,
    })
  }

  give(event: SessionEvent, coordinator: Coordinator): void {
    for (const action of this.session.take(event)) this.#perform(action, coordinator)
  }

  #perform(action: SessionAction, coordinator: Coordinator): void {
    const mine = assignor[this.isEager ? 'eager' : 'cooperative']
    switch (action.act) {
      case 'join': {
        const { request, memberId } = action
        if (this.isEager) assert.deepEqual(action.owned, [], 'an eager member owns nothing')
        assert.equal(this.isRevoking, false, 'no join beside a revocation')
        const metadata = encodeSubscription(mine, ['t'], action.owned, action.ownedGeneration)
        coordinator.join(memberId, metadata, (errorCode, seat) =>
          this.inbox.push({
            on: 'joined',
            request,
            answer: {
              errorCode,
              memberId: seat?.id ?? memberId,
              generation: coordinator.generation,
              protocol: mine.name,
              leader: coordinator.leader,
              skipsAssignment: false,
              members: Array.from(coordinator.seats.values(), (one) => ({
                memberId: one.id,
                instanceId: null,
                metadata: one.metadata,
              })),
            },
          }),
        )
        return
      }
      case 'assign': {
        const members = action.answer.members.map((one) => decodeMember(one, mine))
        const assignment = mine.assign(members, counts)
        const assignments = new Map(
          Array.from(assignment, ([id, list]) => [id, encodeAssignment(list)]),
        )
        this.inbox.push({ on: 'assigned', request: action.request, assignments })
        return
      }
      case 'sync': {
        const { request, memberId, generation } = action
        coordinator.sync(memberId, generation, action.assignments, (errorCode, partitions) =>
          this.inbox.push({ on: 'synced', request, errorCode, partitions }),
        )
        return
      }
      case 'heartbeat': {
        const errorCode = coordinator.heartbeat(action.memberId, action.generation)
        this.inbox.push({ on: 'heartbeat-answered', request: action.request, errorCode })
        return
      }
      case 'leave':
        coordinator.remove(action.memberId)
        this.inbox.push({ on: 'left' })
        return
      case 'revoke':
        assert.equal(this.isRevoking, false, 'one revocation at a time')
        this.isRevoking = true
        return
      case 'start-timer':
        if (action.timer === 'heartbeat') this.hasHeartbeat = true
        if (action.timer === 'backoff') this.hasBackoff = true
        return
      case 'stop-timer':
        if (action.timer === 'heartbeat') this.hasHeartbeat = false
        if (action.timer === 'backoff') this.hasBackoff = false
        return
      case 'fail':
        throw action.error
      case 'hang-up':
      case 'look-up':
      case 'take':
      case 'lose':
      case 'closed':
    }
  }

  /** Everything that may happen to this player next. */
  moves(coordinator: Coordinator): (() => void)[] {
    const moves: (() => void)[] = []
    if (this.isGone) return moves
    if (this.inbox.length > 0) moves.push(() => this.give(this.inbox.shift()!, coordinator))
    if (this.isRevoking) {
      moves.push(() => {
        this.isRevoking = false
        this.give({ on: 'revoked' }, coordinator)
      })
    }
    if (this.hasHeartbeat)
      moves.push(() => this.give({ on: 'timer', timer: 'heartbeat' }, coordinator))
    if (this.hasBackoff) {
      moves.push(() => {
        this.hasBackoff = false
        this.give({ on: 'timer', timer: 'backoff' }, coordinator)
      })
    }
    return moves
  }
}

function nth<T>(list: readonly T[], index: number): T {
  const found = list[index]
  assert.ok(found !== undefined)
  return found
}

function assertOneOwnerEach(players: readonly Player[], coordinator: Coordinator): void {
  const owners = new Map<string, string>()
  for (const { session, isGone } of players) {
    const { memberId } = session
    if (isGone || !coordinator.seats.has(memberId) || session.generation < 0) continue
    for (const { topic, partition } of session.owned) {
      const key = partitionKey(topic, partition)
      assert.equal(owners.get(key), undefined, `${key} has two owners`)
      owners.set(key, memberId)
    }
  }
}

function settle(players: readonly Player[], coordinator: Coordinator): void {
  for (let turn = 0; turn < 4000; turn++) {
    const player = nth(players, turn % players.length)
    // First what is on its way; a heartbeat only when nothing is.
    player.moves(coordinator)[0]?.()
    assertOneOwnerEach(players, coordinator)
    if (turn % 50 !== 49) continue
    // Sessions run out of members that never learnt their id, or that have ended without leaving.
    const alive = new Set(players.map(({ session }) => session.memberId))
    for (const id of coordinator.seats.keys()) if (!alive.has(id)) coordinator.remove(id)
  }
}

describe('a group of sessions', () => {
  for (const isEager of [false, true]) {
    it(`that is ${isEager ? 'eager' : 'cooperative'} never lets two members own a partition, and settles`, () => {
      const moves = fc.array(fc.tuple(fc.nat(4), fc.nat(20)), { maxLength: 150 })
      fc.assert(
        fc.property(moves, (script) => {
          const coordinator = new Coordinator()
          const players = Array.from({ length: 4 }, () => new Player(isEager))
          for (const [who, what] of script) {
            const player = nth(players, who % 4)
            if (player.isGone) continue
            const possible = player.moves(coordinator)
            if (player.session.phase === 'idle') player.give({ on: 'start' }, coordinator)
            else if (what === 20) player.give({ on: 'close' }, coordinator)
            else if (what === 19) coordinator.expire(player.session.memberId)
            else if (what === 18) player.give({ on: 'partitions-changed' }, coordinator)
            else if (what === 17 && player.inbox[0]?.on !== 'assigned') {
              // The connection broke under an answer.
              const lost = player.inbox.shift()
              if (lost && 'request' in lost)
                player.give({ on: 'unanswered', request: lost.request }, coordinator)
            } else possible[what % Math.max(1, possible.length)]?.()
            assertOneOwnerEach(players, coordinator)
          }
          for (const player of players)
            if (player.session.phase === 'idle') player.give({ on: 'start' }, coordinator)
          settle(players, coordinator)
          const alive = players.filter(({ session }) => session.phase !== 'closed')
          const owned = alive.flatMap(({ session }) => session.owned)
          if (alive.length > 0) assert.equal(owned.length, 5, 'every partition has its owner')
          const loads = alive.map(({ session }) => session.owned.length)
          assert.ok(Math.max(0, ...loads) - Math.min(5, ...loads) <= 1 || alive.length === 0)
          assert.ok(alive.every(({ session }) => session.phase === 'steady'))
        }),
        { numRuns: 40 },
      )
    })
  }
})
