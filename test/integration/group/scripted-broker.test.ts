import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import {
  apis,
  decodeResponse,
  encodeRequest,
  type AnyApi,
  type RequestInput,
  type ResponseOf,
} from '../../../packages/millrace/src/protocol/index.ts'
import {
  disconnect,
  scriptedBroker,
  silence,
} from '../../../packages/millrace/src/testing/scripted-broker.ts'

/** The least of a client: requests out, frames in. */
async function peer(address: string) {
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  await new Promise((resolve) => socket.once('connect', resolve))
  const frames: Buffer[] = []
  const waiting: ((frame: Buffer | undefined) => void)[] = []
  let unread = Buffer.alloc(0)
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      for (const one of waiting) one(undefined)
      resolve()
    })
  })
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    unread = Buffer.concat([unread, chunk])
    while (unread.length >= 4 && unread.length >= 4 + unread.readInt32BE(0)) {
      const frame = unread.subarray(4, 4 + unread.readInt32BE(0))
      unread = unread.subarray(4 + frame.length)
      const next = waiting.shift()
      if (next) next(frame)
      else frames.push(frame)
    }
  })
  let correlationId = 0
  return {
    closed,
    [Symbol.dispose]: () => socket.destroy(),
    send<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): void {
      const header = { correlationId: ++correlationId, clientId: 'peer' }
      socket.write(Buffer.concat(encodeRequest(api, version, header, body)))
    },
    async read<A extends AnyApi>(api: A, version: number): Promise<ResponseOf<A> | undefined> {
      const frame = frames.shift() ?? (await new Promise((resolve) => waiting.push(resolve)))
      return frame && decodeResponse(api, version, frame)
    },
  }
}

describe('the scripted broker', () => {
  it('answers what nobody scripted as an empty cluster would', async () => {
    await using broker = await scriptedBroker({ topics: { orders: { partitions: 2 } }, nodes: 2 })
    using client = await peer(broker.address)
    client.send(apis.metadata, 12, { topics: [{ name: 'orders' }, { name: 'other' }] })
    const metadata = await client.read(apis.metadata, 12)
    assert.equal(metadata?.brokers.length, 2)
    assert.deepEqual(
      metadata.topics.map(({ errorCode, partitions }) => [errorCode, partitions.length]),
      [
        [0, 2],
        [3, 0],
      ],
    )
    client.send(apis.findCoordinator, 4, { coordinatorKeys: ['g'] })
    assert.equal((await client.read(apis.findCoordinator, 4))?.coordinators[0]?.key, 'g')
    assert.equal(broker.asked('metadata')[0]?.clientId, 'peer')
  })

  it('scripts answers by count, and falls back to the default', async () => {
    await using broker = await scriptedBroker({
      on: { heartbeat: (_, { count }) => (count === 2 ? { errorCode: 27 } : undefined) },
    })
    using client = await peer(broker.address)
    const codes: (number | undefined)[] = []
    for (let i = 0; i < 3; i++) {
      client.send(apis.heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' })
      codes.push((await client.read(apis.heartbeat, 4))?.errorCode)
    }
    assert.deepEqual(codes, [0, 27, 0])
  })

  it('keeps an answer back until it is released, and those behind it', async () => {
    const gate = Promise.withResolvers<undefined>()
    await using broker = await scriptedBroker({ on: { joinGroup: () => gate.promise } })
    using client = await peer(broker.address)
    client.send(apis.joinGroup, 5, { groupId: 'g', protocols: [{ name: 'range' }] })
    client.send(apis.heartbeat, 3, { groupId: 'g' })
    await broker.received('heartbeat')
    gate.resolve(undefined)
    assert.equal((await client.read(apis.joinGroup, 5))?.protocolName, 'range')
    assert.equal((await client.read(apis.heartbeat, 3))?.errorCode, 0)
  })

  it('drops the connection, or never answers, where the script says so', async () => {
    await using broker = await scriptedBroker({
      on: { heartbeat: (_, { count }) => (count === 1 ? silence : disconnect) },
    })
    using client = await peer(broker.address)
    client.send(apis.heartbeat, 3, { groupId: 'g' })
    client.send(apis.leaveGroup, 3, { groupId: 'g' })
    assert.ok(await client.read(apis.leaveGroup, 3))
    client.send(apis.heartbeat, 3, { groupId: 'g' })
    await client.closed
    await broker.until('the socket is gone', () => broker.connections === 0)
  })

  it('offers the versions it is told to, and refuses others', async () => {
    await using broker = await scriptedBroker({
      isOld: true,
      versions: { fetch: [4, 6], deleteGroups: null },
    })
    using client = await peer(broker.address)
    client.send(apis.apiVersions, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
    const answer = await client.read(apis.apiVersions, 0)
    assert.equal(answer?.errorCode, 35)
    const offered = new Map(answer.apiKeys.map((one) => [one.apiKey, one.maxVersion]))
    assert.equal(offered.get(apis.fetch.key), 6)
    assert.equal(offered.get(apis.heartbeat.key), 3)
    assert.equal(offered.has(apis.deleteGroups.key), false)
    client.send(apis.heartbeat, 4, { groupId: 'g' })
    await client.closed
    assert.match(String(broker.faults[0]), /heartbeat 4 was asked but is not offered/)
  })

  it('says what it saw when something does not come', async () => {
    await using broker = await scriptedBroker()
    using client = await peer(broker.address)
    client.send(apis.heartbeat, 4, { groupId: 'g' })
    await broker.received('heartbeat')
    await assert.rejects(broker.received('syncGroup', 1, 20), /syncGroup request 1.*heartbeat#1/)
  })
})
