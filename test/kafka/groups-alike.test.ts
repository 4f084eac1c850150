import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { apis, type AnyApi } from '../../packages/millrace/src/protocol/index.ts'
import { engineName } from '../harness/engine.ts'
import { unique } from '../harness/unique.ts'
import {
  coordinatorsReady,
  openBoth,
  sharedVersions,
  sorted,
  type BothEngines,
  type Side,
} from './both-engines.ts'
import { absent, commitOf, joinOf, offsetsOf, orders } from './requests.ts'

const options = { skip: engineName !== 'kafka', timeout: 120_000 }

describe('Apache Kafka and the embedded broker agree on groups', options, () => {
  let both: BothEngines
  before(async () => {
    both = await openBoth({ name: orders, numPartitions: 3 })
    await coordinatorsReady(both.sides)
  })
  afterEach(() => {
    both.assertAlike()
  })
  after(async () => {
    await both[Symbol.asyncDispose]()
  })

  it('FindCoordinator of a group', async () => {
    const key = unique('seeker')
    await both.ask('a group', apis.findCoordinator, () => ({
      key,
      keyType: 0,
      coordinatorKeys: [key, 'another'],
    }))
    await both.ask(
      'an unknown kind of key',
      apis.findCoordinator,
      () => ({ key, keyType: 9, coordinatorKeys: [key] }),
      { versions: await sharedVersions(both.sides, apis.findCoordinator, 1) },
    )
  })

  it('calls of members that nobody knows', async () => {
    const groupId = unique('nobody')
    const memberId = 'member-that-never-was'
    const what = 'an unknown member'
    await both.ask(what, apis.heartbeat, () => ({ groupId, generationId: 3, memberId }))
    await both.ask(what, apis.syncGroup, () => ({
      groupId,
      generationId: 3,
      memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
    }))
    await both.ask(what, apis.leaveGroup, () => ({ groupId, memberId, members: [{ memberId }] }))
    await both.ask(what, apis.joinGroup, () => joinOf(groupId, { memberId }))
    await both.ask('no such group', apis.describeGroups, () => ({ groups: [groupId, ''] }), {
      relax: ({ groups }) => sorted(groups, (row) => row.groupId),
    })
    await both.ask('no such group', apis.deleteGroups, () => ({ groupsNames: [groupId, ''] }), {
      relax: ({ results }) => sorted(results, (row) => row.groupId),
    })
    await both.ask('an empty id', apis.heartbeat, () => ({
      groupId: '',
      generationId: 3,
      memberId,
    }))
  })

  it('JoinGroup: what a coordinator refuses at once', async () => {
    const groupId = unique('refused')
    for (const changes of [
      { sessionTimeoutMs: 1 },
      { sessionTimeoutMs: 2_000_000 },
      { protocols: [] },
      { protocolType: '' },
      { groupId: '' },
    ]) {
      await both.ask(JSON.stringify(changes), apis.joinGroup, () => joinOf(groupId, changes))
    }
    await both.ask('without a member id', apis.joinGroup, () => joinOf(groupId), {
      versions: await sharedVersions(both.sides, apis.joinGroup, 4),
    })
  })

  it('a group of one member, from join to leave', async () => {
    for (const version of await sharedVersions(both.sides, apis.joinGroup)) {
      await liveOnce(both, `${unique('single')}-${version}`, version)
    }
  })

  it('offsets of a group without members', async () => {
    const groupId = unique('simple')
    await both.ask('nothing', apis.offsetFetch, () => offsetsOf(unique('fresh')))
    await both.ask('by nobody', apis.offsetCommit, () => commitOf(groupId, 3))
    await both.ask('by an unknown member', apis.offsetCommit, () => ({
      ...commitOf(groupId, 3),
      generationIdOrMemberEpoch: 4,
      memberId: 'x',
    }))
    await both.ask('long metadata', apis.offsetCommit, () =>
      commitOf(groupId, 3, 'x'.repeat(5_000)),
    )
    await both.ask('no such topic', apis.offsetCommit, () => ({
      ...commitOf(groupId, 1),
      topics: [{ name: absent, partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
    }))
    await both.ask('what was committed', apis.offsetFetch, () => offsetsOf(groupId))
    await both.ask(
      'all of it',
      apis.offsetFetch,
      () => ({ groupId, topics: null, groups: [{ groupId, topics: null }] }),
      { versions: await sharedVersions(both.sides, apis.offsetFetch, 2) },
    )
    await both.ask('with offsets', apis.describeGroups, () => ({ groups: [groupId] }))
    const highest = await last(both, apis.deleteGroups)
    await both.ask('with offsets', apis.deleteGroups, () => ({ groupsNames: [groupId] }), highest)
    await both.ask('deleted', apis.describeGroups, () => ({ groups: [groupId] }))
    await both.ask('deleted', apis.offsetFetch, () => offsetsOf(groupId))
  })
})

async function last(
  both: BothEngines,
  api: AnyApi,
): Promise<{ readonly versions: readonly number[] }> {
  return { versions: (await sharedVersions(both.sides, api)).slice(-1) }
}

/** The life of a group with one member that joins under this version. */
async function liveOnce(both: BothEngines, groupId: string, version: number): Promise<void> {
  await Promise.all(both.sides.map((side) => joinAs(side, groupId, version)))
  const memberIdOf = (side: Side): string => side.memory.get(groupId) ?? ''
  const beat = (what: string, generationId: number): Promise<void> =>
    both.ask(what, apis.heartbeat, (_version, side) => ({
      groupId,
      generationId,
      memberId: memberIdOf(side),
    }))

  await beat('before the assignment', 1)
  await both.ask(
    'the leader',
    apis.syncGroup,
    (_version, side) => ({
      groupId,
      generationId: 1,
      memberId: memberIdOf(side),
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId: memberIdOf(side), assignment: Buffer.from('mine') }],
    }),
    await last(both, apis.syncGroup),
  )
  await beat('stable', 1)
  await beat('of a generation to come', 2)
  await both.ask('stable', apis.describeGroups, () => ({ groups: [groupId] }))
  await both.ask('with a member', apis.deleteGroups, () => ({ groupsNames: [groupId] }))
  for (const [what, generation, offset] of [
    ['of the member', 1, 5],
    ['of a generation to come', 7, 6],
    ['of nobody', -1, 7],
  ] as const) {
    await both.ask(what, apis.offsetCommit, (_version, side) => ({
      ...commitOf(groupId, offset),
      generationIdOrMemberEpoch: generation,
      memberId: generation === -1 ? '' : memberIdOf(side),
    }))
  }
  await both.ask('stable', apis.offsetFetch, () => offsetsOf(groupId))
  await both.ask(
    'the last',
    apis.leaveGroup,
    (_version, side) => ({
      groupId,
      memberId: memberIdOf(side),
      members: [{ memberId: memberIdOf(side) }],
    }),
    await last(both, apis.leaveGroup),
  )
  await both.ask('left', apis.describeGroups, () => ({ groups: [groupId] }))
  await both.ask('left', apis.offsetFetch, () => offsetsOf(groupId))
}

async function joinAs(side: Side, groupId: string, version: number): Promise<void> {
  const connection = await side.client.connections.connect('any', 'data')
  const pin = { minVersion: version, maxVersion: version }
  let answer = await connection.request(apis.joinGroup, joinOf(groupId), pin)
  if (answer.errorCode === 79) {
    const again = joinOf(groupId, { memberId: answer.memberId })
    answer = await connection.request(apis.joinGroup, again, pin)
  }
  assert.deepEqual([answer.errorCode, answer.generationId], [0, 1], side.name)
  side.memory.set(groupId, answer.memberId)
}
