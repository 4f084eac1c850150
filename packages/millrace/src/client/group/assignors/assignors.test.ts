import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import {
  cooperativeSticky,
  partitionKey,
  range,
  type AssignableMember,
  type Assignment,
  type TopicPartition,
} from './index.ts'

const member = (
  memberId: string,
  topics: readonly string[],
  more: Partial<AssignableMember> = {},
): AssignableMember => ({ memberId, topics, instanceId: null, owned: [], generation: -1, ...more })

const keysOf = (partitions: readonly TopicPartition[] | undefined): string[] =>
  (partitions ?? []).map(({ topic, partition }) => partitionKey(topic, partition))

/** Joins again with what the last round gave, until a round changes nothing. */
function settle(members: readonly AssignableMember[], counts: ReadonlyMap<string, number>) {
  let current = members
  for (let round = 1; ; round++) {
    const assignment = cooperativeSticky.assign(current, counts)
    const next = current.map((one) => ({
      ...one,
      owned: assignment.get(one.memberId) ?? [],
      generation: round + 100,
    }))
    const isSettled = current.every((one, index) => {
      const before = keysOf(one.owned).toSorted().join()
      return before === keysOf(next[index]?.owned).toSorted().join()
    })
    if (isSettled) return { assignment, members: next, rounds: round }
    assert.ok(round < 10, 'rounds do not end')
    current = next
  }
}

const topicNames = ['a', 'b', 'c', 'd']
const countsArbitrary = fc
  .tuple(...topicNames.map(() => fc.nat(9)))
  .map((counts) => new Map(topicNames.map((topic, index) => [topic, counts[index] ?? 0])))
const membersArbitrary = fc
  .array(fc.subarray(topicNames, { minLength: 1 }), { minLength: 1, maxLength: 6 })
  .map((subscriptions) => subscriptions.map((topics, index) => member(`m${index}`, topics)))

function assertComplete(
  assignment: Assignment,
  members: readonly AssignableMember[],
  counts: ReadonlyMap<string, number>,
): void {
  const seen = new Set<string>()
  for (const one of members) {
    for (const { topic, partition } of assignment.get(one.memberId) ?? []) {
      assert.ok(one.topics.includes(topic), 'only subscribed topics')
      assert.ok(!seen.has(partitionKey(topic, partition)), 'one owner each')
      seen.add(partitionKey(topic, partition))
    }
  }
  const topics = new Set(members.flatMap((one) => one.topics))
  let expected = 0
  for (const topic of topics) expected += counts.get(topic) ?? 0
  assert.equal(seen.size, expected, 'every partition has an owner')
}

describe('assignors', () => {
  it('range gives runs of partitions, the first members one more', () => {
    const assignment = range.assign(
      [member('z', ['a']), member('y', ['a', 'b']), member('x', ['a'])],
      new Map([
        ['a', 7],
        ['b', 2],
      ]),
    )
    assert.deepEqual(keysOf(assignment.get('x')), ['a/0', 'a/1', 'a/2'])
    assert.deepEqual(keysOf(assignment.get('y')), ['a/3', 'a/4', 'b/0', 'b/1'])
    assert.deepEqual(keysOf(assignment.get('z')), ['a/5', 'a/6'])
  })

  it('static members come first and in the order of their instance ids', () => {
    const assignment = range.assign(
      [
        member('1', ['a'], { instanceId: 'two' }),
        member('2', ['a'], { instanceId: 'one' }),
        member('0', ['a']),
      ],
      new Map([['a', 3]]),
    )
    assert.deepEqual(keysOf(assignment.get('2')), ['a/0'])
    assert.deepEqual(keysOf(assignment.get('1')), ['a/1'])
    assert.deepEqual(keysOf(assignment.get('0')), ['a/2'])
  })

  it('give every partition exactly one subscribed owner', () => {
    fc.assert(
      fc.property(membersArbitrary, countsArbitrary, (members, counts) => {
        assertComplete(range.assign(members, counts), members, counts)
        assertComplete(cooperativeSticky.assign(members, counts), members, counts)
      }),
    )
  })

  it('do not depend on the order in which members are listed', () => {
    fc.assert(
      fc.property(membersArbitrary, countsArbitrary, (members, counts) => {
        const settled = settle(members, counts).members
        for (const assignor of [range, cooperativeSticky]) {
          const forward = assignor.assign(settled, counts)
          const backward = assignor.assign(settled.toReversed(), counts)
          for (const { memberId } of members)
            assert.deepEqual(forward.get(memberId), backward.get(memberId))
        }
      }),
    )
  })

  it('cooperative-sticky balances members of equal subscriptions to within one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), countsArbitrary, (size, counts) => {
        const members = Array.from({ length: size }, (_, index) => member(`m${index}`, topicNames))
        const loads = Array.from(settle(members, counts).assignment.values(), (own) => own.length)
        assert.ok(Math.max(...loads) - Math.min(...loads) <= 1)
      }),
    )
  })

  it('cooperative-sticky leaves no partition where moving it would even out two members', () => {
    fc.assert(
      fc.property(membersArbitrary, countsArbitrary, (members, counts) => {
        const { assignment } = settle(members, counts)
        const load = (one: AssignableMember): number => assignment.get(one.memberId)?.length ?? 0
        for (const from of members) {
          for (const { topic } of assignment.get(from.memberId) ?? []) {
            const others = members.filter((one) => one.topics.includes(topic))
            assert.ok(others.every((to) => load(to) + 1 >= load(from)))
          }
        }
      }),
    )
  })

  it('cooperative-sticky changes nothing while nothing has changed', () => {
    fc.assert(
      fc.property(membersArbitrary, countsArbitrary, (members, counts) => {
        const settled = settle(members, counts)
        const again = settle(settled.members, counts)
        assert.equal(again.rounds, 1)
      }),
    )
  })

  it('cooperative-sticky moves only what a leaving member held, and only what a joining one gets', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), countsArbitrary, (size, counts) => {
        const members = Array.from({ length: size }, (_, index) => member(`m${index}`, topicNames))
        const before = settle(members, counts)
        const rest = before.members.slice(1)
        const left = settle(rest, counts)
        for (const one of rest) {
          const now = new Set(keysOf(left.assignment.get(one.memberId)))
          assert.ok(
            keysOf(one.owned).every((key) => now.has(key)),
            'kept over a leave',
          )
        }
        const joined = settle([...left.members, member('new', topicNames)], counts)
        const gained = joined.assignment.get('new')?.length ?? 0
        let lost = 0
        for (const one of left.members) {
          const now = new Set(keysOf(joined.assignment.get(one.memberId)))
          lost += keysOf(one.owned).filter((key) => !now.has(key)).length
        }
        assert.equal(lost, gained)
      }),
    )
  })

  it('cooperative-sticky never assigns what another member still holds', () => {
    const claims = fc.array(
      fc.record({
        topics: fc.subarray(topicNames, { minLength: 1 }),
        owned: fc.array(fc.record({ topic: fc.constantFrom(...topicNames), partition: fc.nat(9) })),
        generation: fc.integer({ min: -1, max: 3 }),
      }),
      { minLength: 1, maxLength: 5 },
    )
    fc.assert(
      fc.property(claims, countsArbitrary, (rows, counts) => {
        const members = rows.map(({ topics, ...more }, index) => member(`m${index}`, topics, more))
        const assignment = cooperativeSticky.assign(members, counts)
        for (const one of members) {
          const others = members.filter((other) => other !== one)
          for (const key of keysOf(assignment.get(one.memberId))) {
            const rivals = others.filter((other) => keysOf(other.owned).includes(key))
            const isOwn = keysOf(one.owned).includes(key)
            assert.ok(rivals.every((other) => isOwn && other.generation < one.generation))
          }
        }
        assertComplete(settle(members, counts).assignment, members, counts)
      }),
    )
  })

  it('believes the newer of two claims, and neither of two equal ones', () => {
    const owned = [{ topic: 'a', partition: 0 }]
    const counts = new Map([['a', 1]])
    const newer = settle(
      [
        member('m0', ['a'], { owned, generation: 4 }),
        member('m1', ['a'], { owned, generation: 5 }),
      ],
      counts,
    )
    assert.deepEqual(keysOf(newer.assignment.get('m1')), ['a/0'])
    const equal = cooperativeSticky.assign(
      [
        member('m0', ['a'], { owned, generation: 5 }),
        member('m1', ['a'], { owned, generation: 5 }),
      ],
      counts,
    )
    assert.deepEqual(Array.from(equal.values()).flat(), [])
  })

  it('writes the generation as the Java client does', () => {
    assert.equal(cooperativeSticky.userData(-1)?.toString('hex'), 'ffffffff')
    assert.equal(cooperativeSticky.userData(1)?.toString('hex'), '00000001')
  })
})
