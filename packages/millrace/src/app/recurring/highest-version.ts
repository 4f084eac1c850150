import type { Assignor } from '../../client/index.ts'

type Members = Parameters<Assignor['assign']>[0]
type Member = Members[number]

/**
 * Gives every partition to the member with the highest version, so that in a rolling deploy the newer schedule runs as
 * soon as one of its workers is there, and the older one again when the deploy is taken back. Among equals whoever has a
 * partition keeps it.
 */
export function highestVersion(version: number): Assignor {
  return {
    name: 'millrace-highest-version',
    isCooperative: true,
    userData() {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleBE(version)
      return bytes
    },
    assign(members, partitionsByTopic) {
      const assigned = new Map(
        members.map(({ memberId }) => [memberId, [] as { topic: string; partition: number }[]]),
      )
      for (const [topic, count] of partitionsByTopic) {
        const subscribed = members.filter(({ topics }) => topics.includes(topic))
        for (let partition = 0; partition < count; partition++) {
          const holder = holderOf(subscribed, topic, partition)
          const best = bestOf(subscribed, holder)
          // Who has to give it up does so first; it is assigned anew in the round after that (KIP-429).
          if (best === undefined || (holder !== undefined && holder !== best)) continue
          assigned.get(best.memberId)?.push({ topic, partition })
        }
      }
      return assigned
    },
  }
}

/** Of several that claim it, the one whose claim is newest. */
function holderOf(members: Members, topic: string, partition: number): Member | undefined {
  return members
    .filter(({ owned }) => owned.some((at) => at.topic === topic && at.partition === partition))
    .toSorted((left, right) => right.generation - left.generation)[0]
}

function bestOf(members: Members, holder: Member | undefined): Member | undefined {
  const highest = Math.max(...members.map(versionOf))
  const best = members.filter((member) => versionOf(member) === highest)
  if (holder !== undefined && best.includes(holder)) return holder
  return best.toSorted((left, right) => (left.memberId < right.memberId ? -1 : 1))[0]
}

function versionOf({ userData }: Member): number {
  return userData?.length === 8 ? userData.readDoubleBE(0) : 0
}
