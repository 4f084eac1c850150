import { CodecError, failure, type MillraceError } from '../../errors/index.ts'
import type { Timer } from '../../kit/index.ts'
import type { ClientCore } from '../client-core.ts'
import type { AssignableMember, Assignor } from './assignors/index.ts'
import type { JoinAnswer, JoinedMember } from './session-messages.ts'
import { decodeMember, encodeAssignment } from './subscription.ts'

/** How soon a leader sees topics that were missing, and more partitions of those that were not. */
const missingMs = 2000
const changedMs = 60_000
const unknownCount = -1

/**
 * What the member does that leads its group: spread the partitions, and watch whether their number
 * changes, for every topic that any member subscribes to.
 */
export class GroupLeader {
  readonly #core: ClientCore
  readonly #groupId: string
  readonly #assignors: readonly Assignor[]
  readonly #onChanged: () => void
  readonly #onError: (error: MillraceError) => void
  #counts: ReadonlyMap<string, number> = new Map()
  #stopListening: (() => void) | undefined
  #timer: Timer | undefined
  #watching: AbortController | undefined

  constructor(
    core: ClientCore,
    groupId: string,
    assignors: readonly Assignor[],
    onChanged: () => void,
    onError: (error: MillraceError) => void,
  ) {
    this.#core = core
    this.#groupId = groupId
    this.#assignors = assignors
    this.#onChanged = onChanged
    this.#onError = onError
  }

  /** Assignments by member id, as they go on the wire. @throws retriable, when the metadata cannot be read */
  async assign(answer: JoinAnswer, signal: AbortSignal): Promise<ReadonlyMap<string, Buffer>> {
    const assignor = this.#assignors.find(({ name }) => name === answer.protocol)
    if (!assignor) {
      const what = `the coordinator chose ${answer.protocol}, which this member did not offer`
      throw failure('MR_GROUP_OPTIONS_INVALID', { groupId: this.#groupId, what })
    }
    const members = answer.members.map((member) => this.#read(member, assignor))
    const topics = Array.from(new Set(members.flatMap((member) => member.topics)))
    await this.#core.metadata.refresh(topics, { signal, reason: 'partitions are assigned' })
    this.#counts = this.#count(topics)
    const assignment = assignor.assign(members, this.#counts)
    return new Map(
      Array.from(assignment, ([memberId, partitions]) => [memberId, encodeAssignment(partitions)]),
    )
  }

  /** Leads from now on. A leader that assigned nothing (KIP-814) watches its own topics. */
  watch(topics: readonly string[]): void {
    this.#watching ??= new AbortController()
    if (this.#counts.size === 0) {
      // It may know none of them yet, and learning a count is no change of it.
      this.#counts = new Map(topics.map((topic) => [topic, unknownCount]))
      this.#learnCounts(this.#watching.signal)
    }
    this.#stopListening ??= this.#core.metadata.onChange(() => this.#look())
    this.#arm()
  }

  unwatch(): void {
    this.#watching?.abort(new Error('leads no more'))
    this.#watching = undefined
    this.#stopListening?.()
    this.#stopListening = undefined
    this.#timer?.cancel()
    this.#timer = undefined
    this.#counts = new Map()
  }

  /** One member that cannot be read must not stop every leader in turn: it gets nothing. */
  #read(member: JoinedMember, assignor: Assignor): AssignableMember {
    try {
      return decodeMember(member, assignor)
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      this.#onError(error)
      const { memberId, instanceId } = member
      return { memberId, instanceId, topics: [], owned: [], generation: -1 }
    }
  }

  #count(topics: Iterable<string>): ReadonlyMap<string, number> {
    const { metadata } = this.#core
    return new Map(
      Array.from(topics, (topic) => [topic, metadata.peek(topic)?.partitions.length ?? 0]),
    )
  }

  /** Counts that were not known are asked for; a topic that is not there counts 0. */
  #learnCounts(signal: AbortSignal): void {
    const topics = Array.from(this.#counts.keys())
    const learn = (): void => {
      if (signal.aborted) return
      const counts = this.#count(topics)
      const known = ([topic, count]: [string, number]): [string, number] => [
        topic,
        count === unknownCount ? (counts.get(topic) ?? 0) : count,
      ]
      this.#counts = new Map(Array.from(this.#counts, known))
    }
    this.#core.metadata
      .refresh(topics, { signal, reason: 'a group leader watches' })
      // Not readable now: the timer asks again, and until then no count is taken for changed.
      .then(learn, () => undefined)
  }

  #look(): void {
    const counts = this.#count(this.#counts.keys())
    const hasChanged = Array.from(counts).some(([topic, count]) => {
      const before = this.#counts.get(topic)
      return before !== unknownCount && count !== before
    })
    if (!hasChanged) return
    this.#counts = counts
    this.#onChanged()
  }

  #arm(): void {
    this.#timer?.cancel()
    const isMissing = Array.from(this.#counts.values()).some((count) => count <= 0)
    const fire = (): void => {
      const topics = Array.from(this.#counts.keys())
      const isUnknown = Array.from(this.#counts.values()).includes(unknownCount)
      if (isUnknown && this.#watching) this.#learnCounts(this.#watching.signal)
      else this.#core.metadata.requestRefresh('a group leader watches', topics)
      this.#arm()
    }
    const delayMs = isMissing ? missingMs : changedMs
    this.#timer = this.#core.clock.after(delayMs, fire, { unref: true })
  }
}
