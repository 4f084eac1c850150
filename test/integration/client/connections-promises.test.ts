import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { manualClock, type ManualClock } from '../../../packages/millrace/src/kit/index.ts'
import { errorCodes } from '../../../packages/millrace/src/protocol/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scriptedBroker, silence } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const topics = { orders: { partitions: 1 } }
const topic = 'orders'

interface LockedPackage {
  readonly hasInstallScript?: boolean
  readonly dev?: boolean
}

/** Lets time pass until the work is done. */
async function passing<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isDone = false
  void Promise.allSettled([work]).then(() => (isDone = true))
  await until('the work is done', async () => {
    if (!isDone) await clock.advanceAsync(50)
    return isDone
  })
  return work
}

describe('connections', { timeout: 30_000 }, () => {
  it('follow the leader that an answer hints at, without waiting for metadata', async () => {
    await using broker = await scriptedBroker({
      topics,
      nodes: 2,
      on: {
        produce: (_, { node }) => {
          if (node === 1) return undefined
          const [host = '', port = ''] = (broker.addresses[1] ?? '').split(':')
          const currentLeader = { leaderId: 1, leaderEpoch: 1 }
          const errorCode = errorCodes.NOT_LEADER_OR_FOLLOWER
          const part = { index: 0, errorCode, baseOffset: -1, currentLeader }
          return {
            responses: [{ name: topic, partitionResponses: [part] }],
            nodeEndpoints: [{ nodeId: 1, host, port: Number(port), rack: null }],
          }
        },
      },
    })
    await using client = openClient({ brokers: [broker.addresses[0] ?? ''] })
    const producer = client.producer()
    await producer.send({ topic, value: 'x' })
    // Metadata still names node 0, under the older epoch: it is not believed.
    await client.metadata.refresh([topic])
    await producer.send({ topic, value: 'y' })
    assert.deepEqual(
      broker.asked('produce').map(({ node }) => node),
      [0, 1, 1],
    )
  })

  it('that are idle wake nobody', async () => {
    const clock = manualClock()
    await using broker = await scriptedBroker({ topics })
    await using client = openClient({ brokers: [broker.address], clock })
    await client.producer().send({ topic, value: 'x' })
    // The deadline of the last request may stand until it fires once.
    await clock.advanceAsync(60_000)
    const asked = broker.requests.length
    assert.equal(clock.waiting, 0)
    await clock.advanceAsync(3_600_000)
    assert.equal(broker.requests.length, asked)
    assert.equal(clock.waiting, 0)
  })

  it('need no compiler and no download: no dependency runs a script at install', async () => {
    const lock = JSON.parse(
      await readFile(join(import.meta.dirname, '../../../package-lock.json'), 'utf8'),
    ) as {
      readonly packages: Readonly<Record<string, LockedPackage>>
    }
    const scripts = Object.entries(lock.packages)
      .filter(([path, entry]) => path !== '' && entry.hasInstallScript && !entry.dev)
      .map(([path]) => path)
    assert.deepEqual(scripts, [])
  })

  it('are closed by a request that is not answered in time, and the message goes again', async () => {
    const clock = manualClock()
    await using broker = await scriptedBroker({
      topics,
      on: { produce: (_, { count }) => (count === 1 ? silence : undefined) },
    })
    await using client = openClient({ brokers: [broker.address], clock, requestTimeoutMs: 2000 })
    const send = client.producer().send({ topic, value: 'x' })
    await broker.received('produce')
    const { offset } = await passing(clock, send)
    assert.equal(offset, 0)
    const connections = broker.asked('produce').map(({ connection }) => connection)
    assert.equal(new Set(connections).size, 2)
  })

  it('tell every change of their state', async () => {
    const seen: string[] = []
    const stops = [
      events.connectionOpened.subscribe(({ purpose }) => seen.push(`opened ${purpose}`)),
      events.connectionClosed.subscribe(({ reason }) => seen.push(`closed: ${reason}`)),
      events.clusterUnreachable.subscribe(() => seen.push('unreachable')),
      events.clusterReachable.subscribe(() => seen.push('reachable')),
    ]
    const probe = createServer()
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
    const { port } = probe.address() as AddressInfo
    await new Promise((resolve) => probe.close(resolve))
    await using broker = await scriptedBroker({ topics })
    let isUp = false
    const [host = '', realPort = ''] = broker.address.split(':')
    const { connect } = await import('node:net')
    const client = openClient({
      brokers: [`127.0.0.1:${port}`],
      dial: (address) =>
        new Promise((resolve, reject) => {
          const to = isUp || address.port !== port ? Number(realPort) : port
          const socket = connect({ host, port: to })
          socket.once('error', reject)
          socket.once('connect', () => {
            resolve(socket)
          })
        }),
    })
    const send = client.producer().send({ topic, value: 'x' })
    await until('it is told', () => seen.includes('unreachable'))
    isUp = true
    await send
    await client.close()
    for (const stop of stops) stop()
    assert.deepEqual(seen.slice(0, 3), ['unreachable', 'opened data', 'reachable'])
    assert.ok(seen.includes('closed: the client closed it'), seen.join(', '))
    assert.equal(seen.filter((one) => one === 'unreachable').length, 1)
  })

  it('are one per broker for data, however many ask at once', async () => {
    await using broker = await scriptedBroker({ topics, nodes: 3 })
    await using client = openClient({ brokers: [broker.address] })
    await Promise.all(Array.from({ length: 20 }, () => client.metadata.refresh([topic])))
    await Promise.all(
      [0, 1, 2].flatMap((node) => [
        client.connections.connect(node, 'data'),
        client.connections.connect(node, 'data'),
        client.connections.connect(node, 'fetch:r'),
        client.connections.connect(node, 'group:g'),
      ]),
    )
    assert.equal(broker.connections, 9)
  })

  it('to a leader that the cluster does not name are tried with back-off, not in a loop', async () => {
    const clock = manualClock()
    await using broker = await scriptedBroker({
      topics: { orders: { partitions: 1, leader: () => 9 } },
    })
    await using client = openClient({ brokers: [broker.address], clock })
    const producer = client.producer()
    const send = producer.send({ topic, value: 'x' })
    await broker.received('metadata')
    await clock.advanceAsync(1000)
    assert.ok(broker.asked('metadata').length < 15, `${broker.asked('metadata').length} requests`)
    broker.setTopic(topic, { partitions: 1, leaderEpoch: 1 })
    assert.equal((await passing(clock, send)).offset, 0)
  })

  it('rest for as long as the broker throttles them', async () => {
    const clock = manualClock()
    await using broker = await scriptedBroker({
      topics,
      on: {
        produce: (_, { count }) => ({
          responses: [
            {
              name: topic,
              partitionResponses: [{ index: 0, errorCode: 0, baseOffset: count - 1 }],
            },
          ],
          throttleTimeMs: count === 1 ? 700 : 0,
        }),
      },
    })
    await using client = openClient({ brokers: [broker.address], clock })
    const producer = client.producer()
    await producer.send({ topic, value: 'x' })
    const second = producer.send({ topic, value: 'y' })
    await clock.advanceAsync(690)
    assert.equal(broker.asked('produce').length, 1)
    assert.equal((await passing(clock, second)).offset, 1)
  })

  it('to a web server fail at once and say so', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await using client = openClient({ brokers: [`127.0.0.1:${port}`] })
    await assert.rejects(
      client.metadata.topic(topic),
      (error) => isFailure(error, 'MR_CONNECTION_WRONG_PEER') && /HTTP/.test(error.message),
    )
    server.close()
  })
})

describe('metadata', { timeout: 30_000 }, () => {
  it('is asked once for many at the same time', async () => {
    await using broker = await scriptedBroker({
      topics: { a: { partitions: 1 }, b: { partitions: 1 } },
    })
    await using client = openClient({ brokers: [broker.address] })
    await Promise.all(Array.from({ length: 50 }, () => client.metadata.topic('a')))
    assert.equal(broker.asked('metadata').length, 1)
  })

  it('starts over from the bootstrap list when every broker has moved away', async () => {
    const old = await scriptedBroker({ topics })
    await using fresh = await scriptedBroker({ topics })
    // Both stand behind the first address, one after the other; the old one names a broker that will be gone.
    let target = old.address
    const bootstrap = 'cluster.example:9092'
    const { connect } = await import('node:net')
    await using client = openClient({
      brokers: [bootstrap],
      dial: (address) =>
        new Promise((resolve, reject) => {
          const to = address.host === 'cluster.example' ? target : `${address.host}:${address.port}`
          const [host = '', port = ''] = to.split(':')
          const socket = connect({ host, port: Number(port) })
          socket.once('error', reject)
          socket.once('connect', () => {
            resolve(socket)
          })
        }),
    })
    const producer = client.producer()
    await producer.send({ topic, value: 'x' })
    target = fresh.address
    await old.close()
    const { offset } = await producer.send({ topic, value: 'y' })
    assert.equal(offset, 0)
    assert.equal(fresh.asked('produce').length, 1)
  })

  it('finds a coordinator, with old brokers too, and again after it was forgotten', async () => {
    for (const isOld of [false, true]) {
      await using broker = await scriptedBroker({
        isOld,
        on: {
          findCoordinator: (_, { count }) =>
            count === 1
              ? { errorCode: 15, coordinators: [{ key: 'g', errorCode: 15 }] }
              : undefined,
        },
      })
      await using client = openClient({ brokers: [broker.address] })
      assert.equal(await client.metadata.coordinatorOf('g'), 0)
      assert.equal(await client.metadata.coordinatorOf('g'), 0)
      assert.equal(broker.asked('findCoordinator').length, 2)
      client.metadata.forgetCoordinator('g')
      await client.metadata.coordinatorOf('g')
      assert.equal(broker.asked('findCoordinator').length, 3)
    }
  })

  it('tells when a topic was deleted and created again', async () => {
    await using broker = await scriptedBroker({ topics })
    await using client = openClient({ brokers: [broker.address] })
    const before = await client.metadata.topic(topic)
    const replaced: string[] = []
    client.metadata.onReplaced((name) => replaced.push(name))
    broker.setTopic(topic, { partitions: 2, id: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    await client.metadata.refresh()
    assert.deepEqual(replaced, [topic])
    assert.equal(client.metadata.topicNameById('AAAAAAAAAAAAAAAAAAAAAQ'), topic)
    assert.equal(client.metadata.topicNameById(before.id), undefined)
    assert.equal(client.metadata.peek(topic)?.partitions.length, 2)
  })
})
