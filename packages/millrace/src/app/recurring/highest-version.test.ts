import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { highestVersion } from './highest-version.ts'

type Members = Parameters<ReturnType<typeof highestVersion>['assign']>[0]

const counts = new Map([['jobs', 1]])
const member = (
  memberId: string,
  version: number,
  owns = false,
  generation = 1,
): Members[number] => ({
  memberId,
  instanceId: null,
  topics: ['jobs'],
  owned: owns ? [{ topic: 'jobs', partition: 0 }] : [],
  generation,
  userData: highestVersion(version).userData(generation),
})
const ownerOf = (members: Members): string | undefined =>
  [...highestVersion(0).assign(members, counts)].find(([, given]) => given.length > 0)?.[0]

describe('the higher version', () => {
  it('has the partition, and among equals whoever has it', () => {
    assert.equal(ownerOf([member('a', 1), member('b', 2)]), 'b')
    assert.equal(ownerOf([member('a', 1), member('b', 1)]), 'a')
    assert.equal(ownerOf([member('a', 1), member('b', 1, true)]), 'b')
  })

  it('gets it in two steps, so that two never have it', () => {
    const joining = [member('old', 1, true), member('new', 2)]
    assert.equal(ownerOf(joining), undefined)
    assert.equal(ownerOf([member('old', 1), member('new', 2)]), 'new')
  })

  it('takes members that say nothing of themselves for the oldest', () => {
    const silent = { ...member('a', 5, true), userData: null }
    assert.equal(ownerOf([silent, member('b', 1)]), undefined)
    assert.equal(ownerOf([{ ...silent, owned: [] }, member('b', 1)]), 'b')
  })

  it('has it after two rounds, whoever came and whatever they claimed, and never two at once', () => {
    const some = fc.array(fc.record({ version: fc.nat(3), owns: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(some, (given) => {
        const members = given.map(({ version, owns }, index) => member(`m${index}`, version, owns))
        const first = highestVersion(0).assign(members, counts)
        const rejoined = members.map((own) => ({
          ...own,
          owned: first.get(own.memberId) ?? [],
          generation: 2,
        }))
        assert.ok([...first.values()].flat().length <= 1)
        const owner = ownerOf(rejoined)
        const highest = Math.max(...given.map(({ version }) => version))
        const index = Number(owner?.slice(1))
        assert.equal(given[index]?.version, highest)
      }),
    )
  })
})
