import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { openClient, type Client } from '../../packages/millrace/src/client/index.ts'
import {
  apis,
  type AnyApi,
  type RequestInput,
  type ResponseOf,
} from '../../packages/millrace/src/protocol/index.ts'
import { engineName } from '../harness/engine.ts'
import { unique } from '../harness/unique.ts'
import { until } from '../harness/until.ts'
import { coordinatorsReady, openBoth, sorted, type BothEngines, type Side } from './both-engines.ts'
import { differencesOf } from './differences.ts'
import { mask } from './mask.ts'
import { joinOf, orders } from './requests.ts'

const options = { skip: engineName !== 'kafka', timeout: 120_000 }

/**
 * Whole rebalances, played on each engine in turn; each writes down what its members were answered, and the two
 * records must be the same.
 */
describe('Apache Kafka and the embedded broker agree on rebalances', options, () => {
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

  let plays = 0
  const alike = async (play: (stage: Stage) => Promise<void>): Promise<void> => {
    const [kafka, embedded] = await Promise.all(
      both.sides.map(async (side) => {
        await using stage = new Stage(side, `${unique('play')}-${plays++}`)
        await play(stage)
        return stage.finish()
      }),
    )
    const found = differencesOf(kafka, embedded)
    assert.equal(found.length, 0, `the engines differ:\n${found.join('\n')}`)
  }

  it('a second member comes: the first is told to come again, and leads', () =>
    alike(async (stage) => {
      await stage.joins('a')
      await stage.syncs('a', { a: 'all' })
      const b = stage.joins('b')
      await stage.isTold('a', 27)
      await stage.commits('a', 'while it rebalances', 5)
      await Promise.all([stage.joins('a'), b])
      await stage.beats('a')
      await stage.commits('a', 'before the assignment', 6)
      const syncing = stage.syncs('b', {})
      await stage.syncs('a', { a: 'half', b: 'other half' })
      await syncing
      await stage.beats('b')
      await stage.commits('b', 'in its turn', 7)
      await stage.describes()
    }))

  it('a member leaves: the other takes all', () =>
    alike(async (stage) => {
      await stage.joins('a')
      await stage.syncs('a', { a: 'all' })
      const b = stage.joins('b')
      await stage.isTold('a', 27)
      await Promise.all([stage.joins('a'), b])
      const syncing = stage.syncs('b', {})
      await stage.syncs('a', { a: 'half', b: 'other half' })
      await syncing
      await stage.leaves('a')
      await stage.isTold('b', 27)
      await stage.joins('b')
      await stage.syncs('b', { b: 'all' })
      await stage.beats('a')
      await stage.commits('a', 'after it left', 8)
      await stage.describes()
    }))

  it('a follower that joins again unchanged disturbs nobody; the leader does', () =>
    alike(async (stage) => {
      await stage.joins('a')
      await stage.syncs('a', { a: 'all' })
      const b = stage.joins('b')
      await stage.isTold('a', 27)
      await Promise.all([stage.joins('a'), b])
      const syncing = stage.syncs('b', {})
      await stage.syncs('a', { a: 'half', b: 'other half' })
      await syncing
      await stage.joins('b')
      await stage.beats('a')
      await stage.syncs('b', {})
      const again = stage.joins('a')
      await stage.isTold('b', 27)
      await Promise.all([again, stage.joins('b')])
      await stage.describes()
    }))

  it('members that share no protocol are refused, and so is another type', () =>
    alike(async (stage) => {
      await stage.joins('a')
      await stage.syncs('a', { a: 'all' })
      await stage.joins('b', { protocols: [{ name: 'other', metadata: Buffer.from('m') }] })
      await stage.joins('c', { protocolType: 'connect' })
      await stage.beats('a')
      await stage.describes()
    }))

  it('a static member that comes back keeps its place; the one before it is fenced', () =>
    alike(async (stage) => {
      await stage.joins('a', { groupInstanceId: 'one' })
      await stage.syncs('a', { a: 'all' }, 'one')
      await stage.joins('a again', { groupInstanceId: 'one' })
      await stage.syncs('a again', {}, 'one')
      await stage.beats('a', 'one')
      await stage.beats('a again', 'one')
      await stage.commits('a', 'of the fenced one', 9, 'one')
      await stage.describes()
      await stage.leaves('a again', 'one')
      await stage.describes()
    }))
})

/** One group on one engine: its members by the names of the play, and what they were answered. */
class Stage implements AsyncDisposable {
  /** By member, since what several are answered at once has no order. */
  readonly #record: Record<string, object[]> = {}
  readonly #side: Side
  readonly #groupId: string
  readonly #clients = new Map<string, Client>()
  readonly #members = new Map<string, { memberId: string; generationId: number }>()

  constructor(side: Side, groupId: string) {
    this.#side = side
    this.#groupId = groupId
  }

  /** What everybody was answered, members by their names in the play. */
  finish(): unknown {
    const nameById = new Map(
      Array.from(this.#members, ([name, { memberId }]) => [memberId, name] as const),
    )
    return mask(
      Object.entries(this.#record).map(([name, answers]) => ({
        name,
        answers: answers.map((answer) => byMember(answer, nameById)),
      })),
      nameById,
    )
  }

  async joins(
    name: string,
    changes: Partial<RequestInput<typeof apis.joinGroup>> = {},
  ): Promise<void> {
    const known = this.#members.get(name)
    let body = joinOf(this.#groupId, { memberId: known?.memberId ?? '', ...changes })
    let answer = await this.#ask(name, apis.joinGroup, body)
    if (answer.errorCode === 79) {
      body = { ...body, memberId: answer.memberId }
      answer = await this.#ask(name, apis.joinGroup, body)
    }
    if (answer.errorCode === 0) {
      const { memberId, generationId } = answer
      this.#members.set(name, { memberId, generationId })
    }
    this.#note(name, 'joins', answer)
  }

  async syncs(
    name: string,
    assignments: Readonly<Record<string, string>>,
    groupInstanceId: string | null = null,
  ): Promise<void> {
    const answer = await this.#ask(name, apis.syncGroup, {
      ...this.#identityOf(name),
      groupInstanceId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: Object.entries(assignments).map(([member, text]) => ({
        memberId: this.#members.get(member)?.memberId ?? '',
        assignment: Buffer.from(text),
      })),
    })
    this.#note(name, 'syncs', answer)
  }

  async beats(name: string, groupInstanceId: string | null = null): Promise<void> {
    const body = { ...this.#identityOf(name), groupInstanceId }
    this.#note(name, 'beats', await this.#ask(name, apis.heartbeat, body))
  }

  /** Waits until its heartbeats are answered with this code; how many it takes is nobody's promise. */
  async isTold(name: string, errorCode: number): Promise<void> {
    await until(`${name} is told ${errorCode}`, async () => {
      const answer = await this.#ask(name, apis.heartbeat, this.#identityOf(name))
      return answer.errorCode === errorCode
    })
  }

  async commits(
    name: string,
    what: string,
    committedOffset: number,
    groupInstanceId: string | null = null,
  ): Promise<void> {
    const { groupId, memberId, generationId } = this.#identityOf(name)
    const answer = await this.#ask(name, apis.offsetCommit, {
      groupId,
      memberId,
      groupInstanceId,
      generationIdOrMemberEpoch: generationId,
      topics: [{ name: orders, partitions: [{ partitionIndex: 0, committedOffset }] }],
    })
    this.#note(name, `commits ${what}`, answer)
  }

  async leaves(name: string, groupInstanceId: string | null = null): Promise<void> {
    const { groupId, memberId } = this.#identityOf(name)
    const body = { groupId, members: [{ memberId, groupInstanceId }] }
    const answer = await this.#ask(name, apis.leaveGroup, body)
    this.#note(name, 'leaves', answer)
  }

  async describes(): Promise<void> {
    const answer = await this.#ask('', apis.describeGroups, { groups: [this.#groupId] })
    const [group] = answer.groups
    this.#note('', 'is described', {
      ...group,
      groupId: '',
      members: (group?.members ?? []).map((one) => ({
        ...one,
        // Between two assignments Kafka still tells the one before.
        memberAssignment: group?.groupState === 'Stable' ? one.memberAssignment : null,
      })),
    })
  }

  #identityOf(name: string): { groupId: string; memberId: string; generationId: number } {
    const { memberId, generationId } = this.#members.get(name) ?? { memberId: '', generationId: -1 }
    return { groupId: this.#groupId, memberId, generationId }
  }

  #note(name: string, what: string, answer: object): void {
    const ofMember = (this.#record[name] ??= [])
    ofMember.push({ what, ...answer })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) await client.close()
  }

  /** A client for each member, since a join holds up its connection. */
  async #ask<A extends AnyApi>(
    name: string,
    api: A,
    body: RequestInput<A>,
  ): Promise<ResponseOf<A>> {
    let client = this.#clients.get(name)
    if (client === undefined) {
      client = openClient({ brokers: this.#side.brokers, requestTimeoutMs: 10_000 })
      this.#clients.set(name, client)
    }
    const connection = await client.connections.connect('any', 'data')
    return connection.request(api, body, { maxVersion: Math.min(9, api.versions[1]) })
  }
}

/** The order of a group's members is nobody's promise. */
function byMember(answer: object, nameById: ReadonlyMap<string, string>): object {
  if (!('members' in answer)) return answer
  const members = answer.members as readonly { readonly memberId: string }[]
  return { ...answer, members: sorted(members, ({ memberId }) => nameById.get(memberId) ?? '') }
}
