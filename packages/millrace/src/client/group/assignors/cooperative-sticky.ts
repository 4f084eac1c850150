/**
 * Kafka's `cooperative-sticky`: as balanced as subscriptions allow, with the fewest moves, and never
 * a move in one step (KIP-429).
 *
 * - A partition that two members claim belongs to the one with the newer generation; with equal
 *   generations to neither (KIP-792).
 * - A partition that somebody else still claims is left out of a new owner's assignment. Its holder
 *   gives it up, joins again, and only then it is assigned.
 * - **Not done**: racks (KIP-881) are read and not used.
 */
import {
  compare,
  inMemberOrder,
  partitionKey,
  type AssignableMember,
  type Assignment,
  type Assignor,
  type TopicPartition,
} from './assignor.ts'

export const cooperativeSticky: Assignor = {
  name: 'cooperative-sticky',
  isCooperative: true,
  userData(generation) {
    // CooperativeStickyAssignorUserData: the generation as a bare int32, as the Java client.
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(generation)
    return bytes
  },
  assign(members, partitionsByTopic) {
    const ordered = inMemberOrder(members)
    return withoutClaimedByOthers(balance(ordered, partitionsByTopic), ordered)
  },
}

/** One partition on its way to an owner. */
interface Placed extends TopicPartition {
  /** Indexes of the members that subscribe to its topic. */
  readonly candidates: readonly number[]
  owner: number
}

function balance(
  members: readonly AssignableMember[],
  partitionsByTopic: ReadonlyMap<string, number>,
): TopicPartition[][] {
  const placed = placeOwned(members, partitionsByTopic)
  const loads = members.map(() => 0)
  for (const { owner } of placed) if (owner >= 0) loads[owner]! += 1

  // Partitions that fewest members can take are placed first, while there is a choice for the others.
  const unowned = placed.filter(({ owner }) => owner < 0)
  unowned.sort((left, right) => left.candidates.length - right.candidates.length)
  for (const partition of unowned) {
    partition.owner = leastLoaded(partition.candidates, loads)
    loads[partition.owner]! += 1
  }

  // From the most loaded member to the least loaded one that can take something of it; each move
  // lowers the sum of the squared loads, so this ends.
  for (let move = nextMove(placed, loads); move; move = nextMove(placed, loads)) {
    loads[move.partition.owner]! -= 1
    loads[move.to]! += 1
    move.partition.owner = move.to
  }

  const assigned: TopicPartition[][] = members.map(() => [])
  for (const { topic, partition, owner } of placed) assigned[owner]?.push({ topic, partition })
  return assigned
}

function nextMove(
  placed: readonly Placed[],
  loads: readonly number[],
): { readonly partition: Placed; readonly to: number } | undefined {
  const least = new Map<readonly number[], number>()
  let best: { readonly partition: Placed; readonly to: number } | undefined
  let bestLoad = 0
  // From the back: what a member keeps are its first partitions, in every round the same.
  for (let index = placed.length - 1; index >= 0; index--) {
    const partition = placed[index]!
    const load = loads[partition.owner]!
    if (load <= bestLoad) continue
    const to = least.get(partition.candidates) ?? leastLoaded(partition.candidates, loads)
    least.set(partition.candidates, to)
    if (loads[to]! + 1 >= load) continue
    best = { partition, to }
    bestLoad = load
  }
  return best
}

/** Every partition of a subscribed topic in order, with its valid owner or -1. */
function placeOwned(
  members: readonly AssignableMember[],
  partitionsByTopic: ReadonlyMap<string, number>,
): Placed[] {
  const candidatesByTopic = new Map<string, number[]>()
  for (const [index, member] of members.entries()) {
    for (const topic of new Set(member.topics)) {
      const candidates = candidatesByTopic.get(topic)
      if (candidates) candidates.push(index)
      else candidatesByTopic.set(topic, [index])
    }
  }
  const owners = validOwners(members)
  const placed: Placed[] = []
  for (const topic of Array.from(candidatesByTopic.keys()).toSorted(compare)) {
    const candidates = candidatesByTopic.get(topic) ?? []
    const count = partitionsByTopic.get(topic) ?? 0
    for (let partition = 0; partition < count; partition++) {
      const owner = owners.get(partitionKey(topic, partition)) ?? -1
      placed.push({ topic, partition, candidates, owner: candidates.includes(owner) ? owner : -1 })
    }
  }
  return placed
}

function validOwners(members: readonly AssignableMember[]): Map<string, number> {
  const owners = new Map<string, number>()
  const generations = new Map<string, number>()
  for (const [index, member] of members.entries()) {
    for (const { topic, partition } of member.owned) {
      const key = partitionKey(topic, partition)
      const known = generations.get(key)
      if (known !== undefined && known > member.generation) continue
      owners.set(key, known === member.generation ? -1 : index)
      generations.set(key, member.generation)
    }
  }
  return owners
}

function leastLoaded(candidates: readonly number[], loads: readonly number[]): number {
  let best = candidates[0]!
  for (const candidate of candidates) if (loads[candidate]! < loads[best]!) best = candidate
  return best
}

function withoutClaimedByOthers(
  assigned: readonly (readonly TopicPartition[])[],
  members: readonly AssignableMember[],
): Assignment {
  const claims = new Map<string, number[]>()
  for (const [index, member] of members.entries()) {
    for (const { topic, partition } of member.owned) {
      const key = partitionKey(topic, partition)
      const claimants = claims.get(key)
      if (claimants) claimants.push(index)
      else claims.set(key, [index])
    }
  }
  const owners = validOwners(members)
  return new Map(
    members.map(({ memberId }, index) => [
      memberId,
      (assigned[index] ?? []).filter(({ topic, partition }) => {
        const key = partitionKey(topic, partition)
        // The holder of an outdated claim gives it up by itself; its valid owner need not.
        if (owners.get(key) === index) return true
        return (claims.get(key) ?? []).every((claimant) => claimant === index)
      }),
    ]),
  )
}
