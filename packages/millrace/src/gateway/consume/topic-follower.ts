import type { Client, GroupMember } from '../../client/index.ts'
import type { Clock, Timer } from '../../kit/index.ts'
import { failure, type MillraceError } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import { matching, patternsOf } from './topic-patterns.ts'

/** How soon a topic that matches is found. */
const lookMs = 2000

/** Subscribes a member to the topics that match, as they come and go. Names without `^` are taken as they are. */
export class TopicFollower {
  readonly #client: Client
  readonly #clock: Clock
  readonly #member: GroupMember
  readonly #plain: readonly string[]
  readonly #patterns: readonly RegExp[]
  readonly #mayRead: (topic: string) => boolean
  readonly #onFailed: (error: MillraceError) => void
  #timer: Timer | undefined
  #isStopped = false
  /** What matches now is subscribed to. */
  hasLooked = false

  /** @throws SyntaxError for an expression that is none */
  constructor(options: {
    readonly client: Client
    readonly clock: Clock
    readonly topics: readonly string[]
    readonly member: GroupMember
    /** An expression takes in only what its user may read. */
    readonly mayRead: (topic: string) => boolean
    /** It follows no longer. */
    readonly onFailed: (error: MillraceError) => void
  }) {
    const { client, clock, topics, member } = options
    this.#mayRead = options.mayRead
    this.#onFailed = options.onFailed
    this.#client = client
    this.#clock = clock
    this.#member = member
    this.#plain = topics.filter((topic) => topic !== '' && !topic.startsWith('^'))
    this.#patterns = patternsOf(topics)
    void this.#look()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    try {
      const topics = await this.#client.admin.describeTopics(undefined, { timeoutMs: 10_000 })
      if (this.#isStopped) return
      const names = topics
        .filter(({ name, isInternal }) => !isInternal && this.#mayRead(name))
        .map(({ name }) => name)
      const found = matching(this.#patterns, names)
      if (found === undefined) {
        const { groupId } = this.#member
        this.stop()
        this.#onFailed(failure('MR_GATEWAY_PATTERN_SLOW', { groupId }))
        return
      }
      this.#member.subscribe([...new Set([...this.#plain, ...found])])
      this.hasLooked = true
    } catch (error) {
      if (this.#isStopped) return
      events.gatewayTopicsUnknown.publish({ groupId: this.#member.groupId, error })
    }
    this.#timer = this.#clock.after(lookMs, () => void this.#look(), { unref: true })
  }
}
