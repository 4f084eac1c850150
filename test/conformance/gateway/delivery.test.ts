import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  cooperativeSticky,
  type ClientMessage,
  type OwnedPartition,
} from '../../../packages/millrace/src/client/index.ts'
import {
  bulk,
  startTestGateway,
  type RawConnection,
  type TestGateway,
} from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { earliest, named, nothingCame, put, shown, taken } from './consumers.ts'

/** Pops until nothing comes, acknowledging each. */
class Popper {
  readonly values: string[] = []
  readonly places = new Set<string>()
  readonly #connection: RawConnection
  readonly #key: string
  readonly done: Promise<void>
  isStopped = false

  constructor(connection: RawConnection, key: string) {
    this.#connection = connection
    this.#key = key
    this.done = this.#run()
    this.done.catch(() => undefined)
  }

  async #run(): Promise<void> {
    while (!this.isStopped) {
      const reply = await this.#connection.command('BLPOP', this.#key, '0.05')
      if (reply === nothingCame) continue
      const { topic, partition, offset, value } = taken(reply)
      this.values.push(value)
      this.places.add(`${topic}:${partition}`)
      const stored = await this.#connection.command(
        'RPUSH',
        'acks',
        `${topic}:${partition}:${offset}`,
      )
      // A partition that has just gone comes again where it went.
      if (stored !== ':1\r\n') assert.equal(stored, '-CONS Local: Erroneous state\r\n')
    }
  }
}

describe('delivery', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
  })
  after(() => gateway[Symbol.asyncDispose]())

  const members = async (group: string): Promise<number> => {
    const [described] = await gateway.client.admin.describeGroups([group])
    return described?.members.length ?? 0
  }

  it('of a fresh group fits into its first call', async () => {
    await gateway.createTopic('fresh', 4)
    for (let partition = 0; partition < 4; partition++)
      await put(gateway, 'fresh', ['x'], partition)
    const connection = await named(gateway, 'fresh:one')
    for (let at = 0; at < 4; at++)
      assert.equal(
        taken(await connection.command('BLPOP', `topics:fresh:${earliest}`, '5')).topic,
        'fresh',
      )
  })

  it('from the end begins where the log ended when the first call returned', async () => {
    for (let round = 0; round < 10; round++) {
      const topic = `latest${round}`
      await gateway.createTopic(topic)
      await put(gateway, topic, ['before'])
      const connection = await named(gateway, `${topic}:one`)
      const key = `topics:${topic}:{"auto.offset.reset":"latest"}`
      assert.equal(await connection.command('BLPOP', key, '0.001'), nothingCame)
      await put(gateway, topic, ['after'])
      assert.equal(await connection.command('BLPOP', key, '5'), shown(topic, 0, 1, 'after'))
    }
  })

  it('from the end is the same for topics that match an expression', async () => {
    await gateway.createTopic('lm-one')
    await put(gateway, 'lm-one', ['before'])
    const connection = await named(gateway, 'lm:one')
    assert.equal(await connection.command('BLPOP', 'topics:^lm-', '0.001'), nothingCame)
    await put(gateway, 'lm-one', ['after'])
    assert.equal(
      await connection.command('BLPOP', 'topics:^lm-', '5'),
      shown('lm-one', 0, 1, 'after'),
    )
  })

  it('from the end is what a consumer gets that says nothing', async () => {
    await gateway.createTopic('unsaid')
    await put(gateway, 'unsaid', ['before'])
    const connection = await named(gateway, 'unsaid:one')
    assert.equal(await connection.command('BLPOP', 'topics:unsaid', '0.3'), nothingCame)
    await put(gateway, 'unsaid', ['after'])
    assert.equal(
      await connection.command('BLPOP', 'topics:unsaid', '5'),
      shown('unsaid', 0, 1, 'after'),
    )
  })

  it('keeps 100 messages of one key in one partition and in order', async () => {
    await gateway.createTopic('keyed', 6)
    const producer = await gateway.dial()
    for (let at = 0; at < 100; at++) {
      producer.write(`rpushx topics:keyed:customer-7 ${at}\r\n`)
    }
    for (let at = 0; at < 100; at++) assert.equal(await producer.reply(), ':1\r\n')
    const connection = await named(gateway, 'keyed:one')
    const partitions = new Set<number>()
    for (let at = 0; at < 100; at++) {
      const message = taken(await connection.command('BLPOP', `topics:keyed:${earliest}`, '5'))
      partitions.add(message.partition)
      assert.equal(message.value, `${at}`)
    }
    assert.equal(partitions.size, 1)
  })

  it('takes partitions in turn, so that a backlog holds none back', async () => {
    await gateway.createTopic('turns', 2)
    await put(
      gateway,
      'turns',
      Array.from({ length: 500 }, (_, at) => `a${at}`),
      0,
    )
    await put(gateway, 'turns', ['b0', 'b1'], 1)
    const connection = await named(gateway, 'turns:one')
    const seen: string[] = []
    while (seen.filter((value) => value.startsWith('b')).length < 2)
      seen.push(taken(await connection.command('BLPOP', `topics:turns:${earliest}`, '5')).value)
    assert.ok(seen.length < 400, `${seen.length}`)
  })

  it('of a consumer that is killed goes on within about a second', async () => {
    await gateway.createTopic('killed')
    const first = await named(gateway, 'killed:one')
    first.write(`blpop topics:killed:${earliest} 60\r\n`)
    await until('it is a member', async () => (await members('killed')) === 1)
    first.socket.destroy()
    await until('it is out of the group', async () => (await members('killed')) === 0, {
      deadline: 3000,
    })
    await put(gateway, 'killed', ['x'])
    const second = await named(gateway, 'killed:one')
    assert.equal(
      await second.command('BLPOP', `topics:killed:${earliest}`, '5'),
      shown('killed', 0, 0, 'x'),
    )
  })

  it('of a consumer whose peer resets the connection goes on too', async () => {
    await gateway.createTopic('reset')
    const first = await named(gateway, 'reset:one')
    first.write(`blpop topics:reset:${earliest} 60\r\n`)
    await until('it is a member', async () => (await members('reset')) === 1)
    first.socket.resetAndDestroy()
    await until('it is out of the group', async () => (await members('reset')) === 0, {
      deadline: 3000,
    })
  })

  it('is shared by two consumers of a group within about three seconds', async () => {
    await gateway.createTopic('shared', 4)
    const key = `topics:shared:${earliest}`
    const one = new Popper(await named(gateway, 'shared:one'), key)
    await until('the first is a member', async () => (await members('shared')) === 1)
    const start = performance.now()
    const two = new Popper(await named(gateway, 'shared:two'), key)
    let shares: readonly number[] = []
    const isShared = async (): Promise<boolean> => {
      const [described] = await gateway.client.admin.describeGroups(['shared'])
      shares = described?.members.map(({ assignment }) => assignment.length) ?? []
      return shares.length === 2 && shares.every((count) => count === 2)
    }
    await until('each has two partitions', isShared, { lastSeen: () => shares })
    const ms = performance.now() - start
    // Three seconds on a machine that has nothing else to do.
    assert.ok(ms < 6000, `${ms} ms`)
    for (let partition = 0; partition < 4; partition++)
      await put(gateway, 'shared', [`p${partition}`], partition)
    const all = (): string[] => [...one.values, ...two.values].toSorted()
    await until('everything was delivered', () => all().length >= 4, { lastSeen: all })
    one.isStopped = two.isStopped = true
    await Promise.all([one.done, two.done])
    assert.deepEqual(all(), ['p0', 'p1', 'p2', 'p3'])
    assert.equal(one.places.size, 2)
    assert.equal(two.places.size, 2)
  })

  it('loses nothing when both consumers of a group are restarted at once', async () => {
    await gateway.createTopic('restarted', 4)
    const key = `topics:restarted:${earliest}`
    const count = 200
    const sent = Array.from({ length: count }, (_, at) => `m${at}`)
    const connections = [
      await named(gateway, 'restarted:one'),
      await named(gateway, 'restarted:two'),
    ]
    const first = connections.map((connection) => new Popper(connection, key))
    for (let partition = 0; partition < 4; partition++)
      await put(gateway, 'restarted', sent.slice(partition * 50, partition * 50 + 25), partition)
    await until('half is there', () => first.flatMap(({ values }) => values).length >= 100)
    for (const one of first) one.isStopped = true
    await Promise.all(first.map(({ done }) => done))
    for (const connection of connections) connection.close()
    for (let partition = 0; partition < 4; partition++)
      await put(
        gateway,
        'restarted',
        sent.slice(partition * 50 + 25, partition * 50 + 50),
        partition,
      )
    const second = [
      new Popper(await named(gateway, 'restarted:one'), key),
      new Popper(await named(gateway, 'restarted:two'), key),
    ]
    const all = (): string[] => [...first, ...second].flatMap(({ values }) => values)
    await until('all is there', () => new Set(all()).size === count, {
      lastSeen: () => all().length,
    })
    for (const one of second) one.isStopped = true
    await Promise.all(second.map(({ done }) => done))
    // Acknowledged before the restart: none of it comes again.
    const acknowledged = new Set(first.flatMap(({ values }) => values))
    assert.deepEqual(
      second.flatMap(({ values }) => values).filter((value) => acknowledged.has(value)),
      [],
    )
  })

  it('is shared with a Millrace worker of the same group', async () => {
    await gateway.createTopic('mixed', 4)
    const popper = new Popper(await named(gateway, 'mixed:gateway'), `topics:mixed:${earliest}`)
    await until('the gateway is in', async () => (await members('mixed')) === 1)
    const seen: ClientMessage[] = []
    const owned = new Set<OwnedPartition>()
    const read = async (partition: OwnedPartition): Promise<void> => {
      while (partition.isOwned) {
        seen.push(...partition.take(100))
        await partition.available()
      }
    }
    await using worker = gateway.client.joinGroup({
      groupId: 'mixed',
      topics: ['mixed'],
      start: 'earliest',
      assignors: [cooperativeSticky],
      onAssigned(partitions) {
        for (const partition of partitions) {
          owned.add(partition)
          void read(partition)
        }
      },
      onRevoked(partitions) {
        for (const partition of partitions) owned.delete(partition)
      },
    })
    await worker.ready()
    await until('each has two partitions', () => owned.size === 2, {
      lastSeen: () => owned.size,
    })
    for (let partition = 0; partition < 4; partition++)
      await put(gateway, 'mixed', [`p${partition}`], partition)
    const all = (): string[] =>
      [...popper.values, ...seen.map(({ value }) => value?.toString() ?? '')].toSorted()
    await until('all is read', () => new Set(all()).size === 4, { lastSeen: all })
    popper.isStopped = true
    await popper.done
    assert.equal(popper.places.size, 2)
    assert.equal(seen.length, 2)
  })

  it('of sessions of two seconds with heartbeats of half a second works', async () => {
    await gateway.createTopic('short')
    await put(gateway, 'short', ['a'])
    const connection = await named(gateway, 'short:one')
    const key =
      'topics:short:{"auto.offset.reset":"earliest","session.timeout.ms":2000,"heartbeat.interval.ms":500}'
    assert.equal(await connection.command('BLPOP', key, '5'), shown('short', 0, 0, 'a'))
    assert.equal(await connection.command('BLPOP', key, '2.5'), nothingCame)
    const [described] = await gateway.client.admin.describeGroups(['short'])
    assert.equal(described?.members.length, 1)
    assert.equal(await connection.command('QUIT'), bulk('OK'))
  })
})
