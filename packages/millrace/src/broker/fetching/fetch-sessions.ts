/**
 * Fetch sessions (KIP-227): a client names its partitions once; later requests carry what changed, and
 * answers leave out the partitions without news.
 *
 *     request (id, epoch)      meaning
 *     any, -1                  full, closes the session if one is named, opens none
 *     any, 0                   full, closes the session if one is named, opens a new one
 *     id, n                    incremental; n must be the next epoch
 *
 * - Unknown id 70, wrong epoch 71, names and ids of topics mixed in one session 106.
 * - After epoch 2^31-1 comes 1. A session without partitions ends.
 * - At most `slots` sessions; the one used longest ago goes (some clients open one for every poll).
 * - A partition just served moves to the end, so that no other starves behind it.
 */
import { randomInt } from 'node:crypto'
import { errorCodes, type apis, type RequestOf } from '../../protocol/index.ts'

export type FetchRequest = RequestOf<typeof apis.fetch>

/** One partition as a client wants it. */
export interface Wanted {
  /** Empty when the client names topics by id. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
}

/** What the answer says of a partition, as far as news goes. */
export interface Served {
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly bytes: number
}

/** How one request is to be served. */
export interface FetchContext {
  readonly wanted: readonly Wanted[]
  /** Decides the session's id in the answer, and which of the wanted partitions go into it. Call once. */
  finish(served: readonly Served[]): {
    readonly sessionId: number
    readonly isIncluded: (index: number) => boolean
  }
}

interface Member {
  wanted: Wanted
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
}

interface Session {
  readonly id: number
  readonly usesIds: boolean
  /** The epoch its next request must have. */
  epoch: number
  /** In the order in which partitions are served. */
  readonly members: Map<string, Member>
}

const largestEpoch = 0x7fffffff

export class FetchSessions {
  readonly #slots: number
  readonly #newId: () => number
  /** In the order of last use. */
  readonly #sessions = new Map<number, Session>()

  constructor(options: { readonly slots: number; readonly newId?: () => number }) {
    this.#slots = options.slots
    this.#newId = options.newId ?? (() => randomInt(1, 0x7fffffff))
  }

  get open(): number {
    return this.#sessions.size
  }

  /** @returns the code to answer with when the request does not fit its session */
  begin(request: FetchRequest, usesIds: boolean): FetchContext | number {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === -1 || sessionEpoch === 0) {
      this.#sessions.delete(sessionId)
      const wanted = wantedOf(request)
      return sessionEpoch === 0 && this.#slots > 0 && wanted.length > 0
        ? this.#full(wanted, usesIds)
        : withoutSession(wanted)
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return errorCodes.FETCH_SESSION_ID_NOT_FOUND
    if (session.epoch !== sessionEpoch) return errorCodes.INVALID_FETCH_SESSION_EPOCH
    if (session.usesIds !== usesIds) return errorCodes.FETCH_SESSION_TOPIC_ID_ERROR
    return this.#incremental(session, request)
  }

  #full(wanted: readonly Wanted[], usesIds: boolean): FetchContext {
    return {
      wanted,
      finish: (served) => {
        const session: Session = { id: this.#freeId(), usesIds, epoch: 1, members: new Map() }
        for (const [index, one] of wanted.entries()) {
          const result = served[index]
          if (result !== undefined) session.members.set(keyOf(one), memberOf(one, result))
        }
        this.#makeRoom()
        this.#sessions.set(session.id, session)
        return { sessionId: session.id, isIncluded: () => true }
      },
    }
  }

  #incremental(session: Session, request: FetchRequest): FetchContext {
    const { members } = session
    for (const one of wantedOf(request)) {
      const member = members.get(keyOf(one))
      if (member !== undefined) member.wanted = one
      // -1 differs from any state, so that a new partition is told of in the first answer.
      else {
        members.set(keyOf(one), {
          wanted: one,
          highWatermark: -1,
          lastStableOffset: -1,
          logStartOffset: -1,
        })
      }
    }
    for (const { topic, topicId, partitions } of request.forgottenTopicsData)
      for (const partition of partitions) members.delete(keyOf({ topic, topicId, partition }))

    this.#sessions.delete(session.id)
    if (members.size === 0) return withoutSession([])
    session.epoch = session.epoch === largestEpoch ? 1 : session.epoch + 1
    this.#sessions.set(session.id, session)

    const wanted = Array.from(members.values(), (member) => member.wanted)
    return {
      wanted,
      finish: (served) => {
        const included = new Set<number>()
        for (const [index, one] of wanted.entries()) {
          const result = served[index]
          const member = members.get(keyOf(one))
          if (result === undefined || member === undefined) continue
          if (hasNews(member, result)) included.add(index)
          // An error is told again until it is gone.
          const isFailed = result.errorCode !== errorCodes.NONE
          member.highWatermark = isFailed ? -1 : result.highWatermark
          member.lastStableOffset = result.lastStableOffset
          member.logStartOffset = result.logStartOffset
          if (result.bytes > 0) {
            members.delete(keyOf(one))
            members.set(keyOf(one), member)
          }
        }
        return { sessionId: session.id, isIncluded: (index) => included.has(index) }
      },
    }
  }

  #freeId(): number {
    let id = this.#newId()
    while (this.#sessions.has(id)) id = this.#newId()
    return id
  }

  #makeRoom(): void {
    while (this.#sessions.size >= this.#slots) {
      const [oldest] = this.#sessions.keys()
      if (oldest === undefined) return
      this.#sessions.delete(oldest)
    }
  }
}

function hasNews(member: Member, result: Served): boolean {
  return (
    result.bytes > 0 ||
    result.errorCode !== errorCodes.NONE ||
    result.highWatermark !== member.highWatermark ||
    result.lastStableOffset !== member.lastStableOffset ||
    result.logStartOffset !== member.logStartOffset
  )
}

function memberOf(wanted: Wanted, result: Served): Member {
  const { highWatermark, lastStableOffset, logStartOffset } = result
  return { wanted, highWatermark, lastStableOffset, logStartOffset }
}

function withoutSession(wanted: readonly Wanted[]): FetchContext {
  return { wanted, finish: () => ({ sessionId: 0, isIncluded: () => true }) }
}

function keyOf(one: {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}): string {
  return `${one.topic}\n${one.topicId}\n${one.partition}`
}

function wantedOf(request: FetchRequest): Wanted[] {
  const wanted: Wanted[] = []
  for (const { topic, topicId, partitions } of request.topics) {
    for (const one of partitions) {
      wanted.push({
        topic,
        topicId,
        partition: one.partition,
        currentLeaderEpoch: one.currentLeaderEpoch,
        fetchOffset: one.fetchOffset,
        lastFetchedEpoch: one.lastFetchedEpoch,
        partitionMaxBytes: one.partitionMaxBytes,
      })
    }
  }
  return wanted
}
