import type { CommittedOffset } from './offsets-log.ts'

/** The committed offsets of one group. */
export class GroupOffsets {
  readonly #byTopic = new Map<string, Map<number, CommittedOffset>>()

  get isEmpty(): boolean {
    return this.#byTopic.size === 0
  }

  get topics(): readonly string[] {
    return [...this.#byTopic.keys()]
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#byTopic.get(topic)?.get(partition)
  }

  ofTopic(topic: string): ReadonlyMap<number, CommittedOffset> {
    return this.#byTopic.get(topic) ?? new Map<number, CommittedOffset>()
  }

  set(topic: string, partition: number, committed: CommittedOffset): void {
    let offsets = this.#byTopic.get(topic)
    if (offsets === undefined) this.#byTopic.set(topic, (offsets = new Map()))
    offsets.set(partition, committed)
  }

  delete(topic: string, partition: number): void {
    const offsets = this.#byTopic.get(topic)
    if (offsets?.delete(partition) === true && offsets.size === 0) this.#byTopic.delete(topic)
  }

  *entries(): Generator<{
    readonly topic: string
    readonly partition: number
    readonly committed: CommittedOffset
  }> {
    for (const [topic, offsets] of this.#byTopic)
      for (const [partition, committed] of offsets) yield { topic, partition, committed }
  }
}
