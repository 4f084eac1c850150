import type { Client, GroupMember } from '../../client/index.ts'
import type { Clock, Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'

/** How soon a topic that matches is found. */
const lookMs = 2000

/** Subscribes a member to the topics that match, as they come and go. Names without `^` are taken as they are. */
export class TopicFollower {
  readonly #client: Client
  readonly #clock: Clock
  readonly #member: GroupMember
  readonly #plain: readonly string[]
  readonly #patterns: readonly RegExp[]
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
  }) {
    const { client, clock, topics, member } = options
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
      const found = topics
        .filter(
          ({ name, isInternal }) =>
            !isInternal && this.#patterns.some((pattern) => pattern.test(name)),
        )
        .map(({ name }) => name)
      this.#member.subscribe([...new Set([...this.#plain, ...found])])
      this.hasLooked = true
    } catch (error) {
      if (this.#isStopped) return
      events.gatewayTopicsUnknown.publish({ groupId: this.#member.groupId, error })
    }
    this.#timer = this.#clock.after(lookMs, () => void this.#look(), { unref: true })
  }
}

/** The regular expressions of a topic list. @throws SyntaxError */
export function patternsOf(topics: readonly string[]): readonly RegExp[] {
  return topics.filter((topic) => topic.startsWith('^')).map((topic) => new RegExp(topic))
}
