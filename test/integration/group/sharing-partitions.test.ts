import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  openClient,
  range,
  type Client,
  type GroupMember,
  type GroupOptions,
  type OwnedPartition,
} from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from './support/scripting.ts'

const topic = 'orders'
const partitions = 6

type Broker = Awaited<ReturnType<typeof startTestBroker>>

/** Watches who owns what: two owners of one partition at one time is what must never be. */
class Register {
  readonly faults: string[] = []
  readonly moves = new Map<number, number>()
  readonly #owners = new Map<number, string>()

  options(name: string): Pick<GroupOptions, 'onAssigned' | 'onRevoked' | 'onLost'> {
    const give = (list: readonly OwnedPartition[]): void => {
      for (const { partition } of list)
        if (this.#owners.get(partition) === name) this.#owners.delete(partition)
    }
    return {
      onAssigned: (list) => {
        for (const { partition } of list) {
          const owner = this.#owners.get(partition)
          if (owner !== undefined) this.faults.push(`${partition} of ${owner} went to ${name}`)
          this.#owners.set(partition, name)
          this.moves.set(partition, (this.moves.get(partition) ?? 0) + 1)
        }
      },
      onRevoked: give,
      onLost: give,
    }
  }

  get size(): number {
    return this.#owners.size
  }

  of(name: string): number[] {
    return Array.from(this.#owners)
      .filter(([, owner]) => owner === name)
      .map(([partition]) => partition)
      .toSorted((left, right) => left - right)
  }
}

async function fill(client: Client, count: number): Promise<void> {
  const producer = client.producer()
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      producer.send({ topic, partition: index % partitions, value: `${index}` }),
    ),
  )
}

/** Takes and commits until stopped; what was taken stands in `seen` as `partition/offset`. */
function consume(member: GroupMember, seen: string[]): () => Promise<void> {
  const stopping = new AbortController()
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const taken = member.owned.filter((one) => {
        const messages = one.take(10)
        for (const { partition, offset } of messages) seen.push(`${partition}/${offset}`)
        return messages.length > 0
      })
      if (taken.length > 0)
        await member.commit(taken.map((partition) => ({ partition, offset: partition.position })))
      else await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const done = work()
  return async () => {
    stopping.abort()
    await done
  }
}

const join = (client: Client, register: Register, name: string, more: Partial<GroupOptions> = {}) =>
  client.joinGroup({
    groupId: 'g',
    topics: [topic],
    heartbeatIntervalMs: 20,
    ...register.options(name),
    ...more,
  })

async function open(): Promise<{ broker: Broker; connect: () => Client } & AsyncDisposable> {
  const broker = await startTestBroker({
    topics: { [topic]: partitions },
    options: { groupMinSessionTimeoutMs: 100 },
  })
  const clients: Client[] = []
  return {
    broker,
    connect() {
      const client = openClient({ brokers: [broker.address] })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()))
      await broker.stop()
    },
  }
}

describe('members of a group', () => {
  it('share six partitions, each with one owner at any time, while members come and go', async () => {
    await using world = await open()
    const register = new Register()
    await fill(world.connect(), 600)
    const seen: string[] = []
    const names = ['a', 'b', 'c']
    const members: GroupMember[] = []
    const stops: (() => Promise<void>)[] = []
    for (const [index, name] of names.entries()) {
      const member = join(world.connect(), register, name)
      members.push(member)
      stops.push(consume(member, seen))
      await until(
        `${name} has its part`,
        () => register.of(name).length === partitions / (index + 1),
      )
      await until('all are owned', () => register.size === partitions)
    }
    await until('everything was read', () => new Set(seen).size === 600)
    for (const [index, name] of names.slice(0, 2).entries()) {
      await stops[index]?.()
      await members[index]?.close()
      assert.deepEqual(register.of(name), [])
      await until('all are owned', () => register.size === partitions)
    }
    assert.deepEqual(register.faults, [])
    assert.deepEqual(register.of('c'), [0, 1, 2, 3, 4, 5])
    await stops[2]?.()
  })

  it('keep what a cooperative rebalance leaves them: object, buffer, position', async () => {
    await using world = await open()
    await fill(world.connect(), 60)
    const register = new Register()
    const first = join(world.connect(), register, 'a')
    await first.ready()
    const before = Array.from(first.owned)
    await Promise.all(before.map((one) => one.available()))
    for (const one of before) assert.equal(one.take(2).length, 2)
    const second = join(world.connect(), register, 'b')
    await until('the new member has its half', () => register.of('b').length === 3)
    const kept = before.filter(({ isOwned }) => isOwned)
    assert.equal(kept.length, 3)
    assert.deepEqual(new Set(first.owned), new Set(kept))
    for (const one of kept) assert.equal(one.take(1)[0]?.offset, 2)
    assert.equal(Math.max(...kept.map(({ partition }) => register.moves.get(partition) ?? 0)), 1)
    await second.close()
    assert.deepEqual(register.faults, [])
  })

  it('with an eager assignor move everything at once, and still never share', async () => {
    await using world = await open()
    const register = new Register()
    const eager = { assignors: [range] }
    const first = join(world.connect(), register, 'a', eager)
    await first.ready()
    const second = join(world.connect(), register, 'b', eager)
    await until('both have their half', () => register.of('b').length === 3 && register.size === 6)
    assert.deepEqual(register.of('a').length, 3)
    await first.close()
    await until('the rest moved', () => register.of('b').length === 6)
    await second.close()
    assert.deepEqual(register.faults, [])
  })

  it('resume where the group has committed', async () => {
    await using world = await open()
    await fill(world.connect(), 60)
    const register = new Register()
    const first = join(world.connect(), register, 'a')
    await first.ready()
    await Promise.all(first.owned.map((one) => one.available()))
    const entries = first.owned.map((partition) => {
      assert.equal(partition.take(4).length, 4)
      return { partition, offset: 4, metadata: `p${partition.partition}` }
    })
    await first.commit(entries)
    await first.close()
    const second = join(world.connect(), register, 'b')
    await second.ready()
    for (const one of second.owned) {
      assert.deepEqual(one.committed, { offset: 4, metadata: `p${one.partition}` })
      await one.available()
      assert.equal(one.take(1)[0]?.offset, 4)
    }
    await second.close()
  })

  it('take over the partitions of a member that is gone without a word', async () => {
    await using world = await open()
    const register = new Register()
    const dead = world.connect()
    const first = join(dead, register, 'a', { sessionTimeoutMs: 500 })
    await first.ready()
    const second = join(world.connect(), register, 'b', { sessionTimeoutMs: 500 })
    await until('both have their half', () => register.of('b').length === 3)
    // As a crash would: its sockets end, and it says nothing.
    dead.connections.close()
    await until('all moved', () => register.of('b').length === 6)
    assert.deepEqual(register.faults, [])
    await second.close()
  })

  it('see partitions that are added, through their leader', async () => {
    await using world = await open()
    const register = new Register()
    const client = world.connect()
    const member = join(client, register, 'a')
    await member.ready()
    await world.broker.store.addPartitions(topic, 9)
    await client.metadata.refresh([topic])
    await until('nine partitions', () => register.of('a').length === 9)
  })

  it('wait for a topic that does not exist yet', async () => {
    await using world = await open()
    const register = new Register()
    const client = world.connect()
    const member = join(client, register, 'a', { topics: ['later'] })
    await member.ready()
    assert.deepEqual(member.owned, [])
    await world.broker.store.createTopic({ name: 'later', partitions: 2, configs: {} })
    await until('its partitions', () => register.of('a').length === 2)
  })
})
