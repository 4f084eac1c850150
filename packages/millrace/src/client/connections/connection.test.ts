import assert from 'node:assert/strict'
import { duplexPair, type Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { isFailure } from '../../errors/index.ts'
import { manualClock, type ManualClock } from '../../kit/index.ts'
import {
  apis,
  encodeResponse,
  readRequestHeader,
  type AnyApi,
  type ResponseInput,
} from '../../protocol/index.ts'
import { parseAddress } from './address.ts'
import { Connection } from './connection.ts'
import { FrameReader } from './frame-reader.ts'

interface Heard {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
}

/** The broker's end of a connection in memory. */
class Peer {
  readonly stream: Duplex
  readonly heard: Heard[] = []
  constructor(stream: Duplex) {
    this.stream = stream
    const frames = new FrameReader(1 << 20)
    stream.on('data', (chunk: Buffer) => {
      frames.read(chunk, (frame) => this.heard.push(readRequestHeader(frame)))
    })
    stream.on('error', () => undefined)
  }

  async hears(count: number): Promise<Heard> {
    for (let turn = 0; turn < 100 && this.heard.length < count; turn++) await turnOver()
    const last = this.heard[count - 1]
    assert.ok(last, `heard ${this.heard.length} of ${count} requests`)
    return last
  }

  answer<A extends AnyApi>(
    api: A,
    version: number,
    correlationId: number,
    body: ResponseInput<A>,
  ): void {
    this.stream.write(Buffer.concat(encodeResponse(api, version, correlationId, body)))
  }
}

const turnOver = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const versions = (errorCode = 0, apiVersions: readonly [number, number] = [0, 4]) => ({
  errorCode,
  apiKeys: [
    { apiKey: 18, minVersion: apiVersions[0], maxVersion: apiVersions[1] },
    { apiKey: 3, minVersion: 0, maxVersion: 9 },
  ],
})

function start(clock: ManualClock): { peer: Peer; opening: Promise<Connection> } {
  const [ours, theirs] = duplexPair()
  const settings = { clientId: 'test', softwareVersion: '1', requestTimeoutMs: 1000, clock }
  const peer = new Peer(theirs)
  return { peer, opening: Connection.negotiate(ours, parseAddress('broker:1'), 'data', settings) }
}

async function open(clock = manualClock()): Promise<{ peer: Peer; connection: Connection }> {
  const { peer, opening } = start(clock)
  const { correlationId } = await peer.hears(1)
  peer.answer(apis.apiVersions, 3, correlationId, versions())
  return { peer, connection: await opening }
}

const isLost = (error: unknown): boolean =>
  isFailure(error, 'MR_CONNECTION_LOST') && error.retriable

describe('a connection', () => {
  it('holds the process only while an answer is awaited, when told so', async () => {
    const [ours, theirs] = duplexPair()
    let isHolding = true
    const stream = Object.assign(ours, {
      ref: () => void (isHolding = true),
      unref: () => void (isHolding = false),
    })
    const peer = new Peer(theirs)
    const clock = manualClock()
    const opening = Connection.negotiate(stream, parseAddress('broker:1'), 'data', {
      clientId: 'test',
      softwareVersion: '1',
      requestTimeoutMs: 1000,
      clock,
      holdsProcess: false,
    })
    const first = await peer.hears(1)
    assert.ok(isHolding)
    peer.answer(apis.apiVersions, 3, first.correlationId, versions())
    const connection = await opening
    assert.ok(!isHolding)
    const answers = [connection.request(apis.metadata, {}), connection.request(apis.metadata, {})]
    assert.ok(isHolding)
    const ids = [await peer.hears(2), await peer.hears(3)]
    for (const { correlationId } of ids) {
      assert.ok(isHolding)
      peer.answer(apis.metadata, 9, correlationId, {})
      await answers.shift()
    }
    assert.ok(!isHolding)
    connection.close()
  })

  it('asks for versions first, and takes the highest that both sides speak', async () => {
    const { peer, connection } = await open()
    const answer = connection.request(apis.metadata, { topics: [] })
    const { apiKey, apiVersion, correlationId } = await peer.hears(2)
    assert.deepEqual([apiKey, apiVersion], [3, 9])
    peer.answer(apis.metadata, 9, correlationId, { clusterId: 'c1' })
    assert.equal((await answer).clusterId, 'c1')
    connection.close()
  })

  it('falls back to the version an old broker names', async () => {
    const { peer, opening } = start(manualClock())
    const first = await peer.hears(1)
    assert.equal(first.apiVersion, 3)
    peer.answer(apis.apiVersions, 0, first.correlationId, versions(35, [0, 1]))
    const second = await peer.hears(2)
    assert.equal(second.apiVersion, 1)
    peer.answer(apis.apiVersions, 1, second.correlationId, versions(0, [0, 1]))
    ;(await opening).close()
  })

  it('names the API and both ranges when they have no version in common', async () => {
    const { connection } = await open()
    await assert.rejects(
      connection.request(apis.metadata, {}, { minVersion: 10 }),
      (error) =>
        isFailure(error, 'MR_CONNECTION_VERSION_UNSUPPORTED') &&
        /Metadata 10-\d+.*0-9/.test(error.message),
    )
    connection.close()
  })

  it('matches answers that come in another order', async () => {
    const { peer, connection } = await open()
    const one = connection.request(apis.metadata, {})
    const two = connection.request(apis.metadata, {})
    const ids = [await peer.hears(2), await peer.hears(3)].map((heard) => heard.correlationId)
    peer.answer(apis.metadata, 9, ids[1] ?? 0, { clusterId: 'second' })
    peer.answer(apis.metadata, 9, ids[0] ?? 0, { clusterId: 'first' })
    assert.equal((await one).clusterId, 'first')
    assert.equal((await two).clusterId, 'second')
    connection.close()
  })

  it('closes after a request that is not answered in time, and rejects what waits, retriable', async () => {
    const clock = manualClock()
    const { peer, connection } = await open(clock)
    const late = connection.request(apis.metadata, {}, { timeoutMs: 500 })
    const behind = connection.request(apis.metadata, {}, { timeoutMs: 5000 })
    await peer.hears(3)
    clock.advance(499)
    assert.equal(connection.isOpen, true)
    clock.advance(1)
    await assert.rejects(late, (error) => isFailure(error, 'MR_REQUEST_TIMEOUT') && error.retriable)
    await assert.rejects(behind, isLost)
    assert.equal(connection.isOpen, false)
    await assert.rejects(connection.request(apis.metadata, {}), isLost)
  })

  it('leaves no timer behind, idle or closed', async () => {
    const clock = manualClock()
    const { peer, connection } = await open(clock)
    const answer = connection.request(apis.metadata, {})
    peer.answer(apis.metadata, 9, (await peer.hears(2)).correlationId, {})
    await answer
    clock.advance(10_000)
    assert.equal(clock.waiting, 0)
    connection.close()
    assert.equal(clock.waiting, 0)
  })

  it('rejects what waits when the broker goes away', async () => {
    const { peer, connection } = await open()
    const answer = connection.request(apis.metadata, {})
    await peer.hears(2)
    let isTold = false
    connection.onClose(() => (isTold = true))
    peer.stream.end()
    await assert.rejects(answer, isLost)
    assert.ok(isTold)
  })

  it('lets a caller leave without losing the connection', async () => {
    const { peer, connection } = await open()
    const leaving = new AbortController()
    const left = connection.request(apis.metadata, {}, { signal: leaving.signal })
    const stays = connection.request(apis.metadata, {})
    const ids = [await peer.hears(2), await peer.hears(3)].map((heard) => heard.correlationId)
    leaving.abort(new Error('enough'))
    await assert.rejects(left, /enough/)
    peer.answer(apis.metadata, 9, ids[0] ?? 0, { clusterId: 'for nobody' })
    peer.answer(apis.metadata, 9, ids[1] ?? 0, { clusterId: 'c2' })
    assert.equal((await stays).clusterId, 'c2')
    connection.close()
  })

  it('ends on an answer it never asked for, and on one that cannot be read', async () => {
    const stray = await open()
    const waits = stray.connection.request(apis.metadata, {})
    await stray.peer.hears(2)
    stray.peer.answer(apis.metadata, 9, 4711, {})
    await assert.rejects(waits, /never sent/)

    const broken = await open()
    const unread = broken.connection.request(apis.metadata, {})
    const { correlationId } = await broken.peer.hears(2)
    const frame = Buffer.alloc(12)
    frame.writeInt32BE(8, 0)
    frame.writeInt32BE(correlationId, 4)
    frame.fill(0x7f, 8)
    broken.peer.stream.write(frame)
    await assert.rejects(unread, (error) => isFailure(error, 'MR_PROTOCOL_MALFORMED'))
    assert.equal(broken.connection.isOpen, false)
  })

  it('survives whatever a broken peer writes: every request is settled', async () => {
    const valid = Buffer.concat(
      encodeResponse(apis.metadata, 9, 2, {
        brokers: [{ nodeId: 1, host: 'localhost', port: 9092 }],
        clusterId: 'c1',
        topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, leaderId: 1 }] }],
      }),
    )
    const change = fc.record({ at: fc.nat(valid.length - 1), to: fc.nat(255) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.nat(valid.length),
        async (changes, cut) => {
          const clock = manualClock()
          const { peer, connection } = await open(clock)
          const settled = Promise.allSettled([connection.request(apis.metadata, {})])
          await peer.hears(2)
          const bytes = Buffer.from(valid)
          for (const { at, to } of changes) bytes[at] = to
          peer.stream.write(bytes.subarray(0, cut))
          peer.stream.write(bytes.subarray(cut))
          await turnOver()
          // What waits for more bytes ends with its time.
          clock.advance(1000)
          const [fate] = await settled
          assert.ok(fate.status === 'fulfilled' || isFailure(fate.reason))
          connection.close()
        },
      ),
      { numRuns: 300 },
    )
  })

  it('names a TLS port and a web server', async () => {
    for (const [bytes, expected] of [
      [Buffer.from([0x15, 3, 1, 0, 2, 2, 0x46]), /TLS/],
      [Buffer.from('HTTP/1.1 400 Bad Request\r\n'), /HTTP/],
    ] as const) {
      const { peer, opening } = start(manualClock())
      await peer.hears(1)
      peer.stream.write(bytes)
      await assert.rejects(
        opening,
        (error) => isFailure(error, 'MR_CONNECTION_WRONG_PEER') && expected.test(error.message),
      )
    }
  })
})
