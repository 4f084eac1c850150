import { placeKey } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'

interface Prefix {
  readonly text: string
  readonly fields: object
}

const none: Prefix = { text: '', fields: {} }

/** `[shop_accounts] {users: 0,1} `: the group and what it holds, in front of each line of a group. */
export class Prefixes {
  readonly #held = new Map<string, Set<string>>()

  /** Keeps up with assignments. Returns what ends that. */
  follow(): () => void {
    const ends = [
      events.groupAssigned.subscribe(({ groupId, added, kept }) => {
        this.#held.set(groupId, new Set([...kept, ...added].map(placeKey)))
      }),
      events.groupRevoked.subscribe(({ groupId, partitions }) => this.#drop(groupId, partitions)),
      events.groupLost.subscribe(({ groupId, partitions }) => this.#drop(groupId, partitions)),
    ]
    return () => {
      for (const end of ends) end()
    }
  }

  of(payload: object): Prefix {
    if (!('groupId' in payload)) return none
    const groupId = payload.groupId as string
    const byTopic = Map.groupBy(this.#held.get(groupId) ?? [], (key) => key.split('/')[0] ?? key)
    const assigned = Object.fromEntries(
      [...byTopic].map(([topic, keys]) => [topic, keys.map((key) => Number(key.split('/')[1]))]),
    )
    const texts = Object.entries(assigned).map(
      ([topic, numbers]) => `${topic}: ${numbers.join(',')}`,
    )
    return {
      text: `[${groupId}] {${texts.join('; ')}} `,
      fields: { group: groupId, assigned },
    }
  }

  #drop(groupId: string, partitions: readonly { topic: string; partition: number }[]): void {
    const held = this.#held.get(groupId)
    for (const partition of partitions) held?.delete(placeKey(partition))
  }
}
