import { compare, inMemberOrder, type Assignor, type TopicPartition } from './assignor.ts'

/**
 * Kafka's `range`: per topic, each member gets a run of neighbouring partitions; the first members
 * get one more when it does not divide. Topics with equal counts are split alike, so that equal keys
 * of two topics meet in one member.
 */
export const range: Assignor = {
  name: 'range',
  isCooperative: false,
  userData: () => null,
  assign(members, partitionsByTopic) {
    const ordered = inMemberOrder(members)
    const assignment = new Map<string, TopicPartition[]>(
      ordered.map(({ memberId }) => [memberId, []]),
    )
    const topics = new Set(members.flatMap((member) => member.topics))
    for (const topic of Array.from(topics).toSorted(compare)) {
      const subscribed = ordered.filter((member) => member.topics.includes(topic))
      const count = partitionsByTopic.get(topic) ?? 0
      const each = Math.floor(count / subscribed.length)
      let next = 0
      for (const [index, { memberId }] of subscribed.entries()) {
        const end = next + each + (index < count % subscribed.length ? 1 : 0)
        for (; next < end; next++) assignment.get(memberId)?.push({ topic, partition: next })
      }
    }
    return assignment
  },
}
