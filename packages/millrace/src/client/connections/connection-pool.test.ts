import assert from 'node:assert/strict'
import { duplexPair, type Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import { deferred, manualClock } from '../../kit/index.ts'
import { apis, encodeResponse, readRequestHeader } from '../../protocol/index.ts'
import { parseAddress } from './address.ts'
import { ConnectionPool } from './connection-pool.ts'
import { FrameReader } from './frame-reader.ts'

const turnOver = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function poolOver(dial: () => Promise<Duplex>): ConnectionPool {
  return new ConnectionPool([parseAddress('broker:1')], {
    clientId: 'test',
    cluster: 'main',
    softwareVersion: '1',
    requestTimeoutMs: 1000,
    connectTimeoutMs: 1000,
    clock: manualClock(),
    dial,
  })
}

/** The broker's end: agrees about versions. */
function agree(stream: Duplex): void {
  const frames = new FrameReader(1 << 20)
  stream.on('error', () => undefined)
  stream.on('data', (chunk: Buffer) => {
    frames.read(chunk, (frame) => {
      const { apiVersion, correlationId } = readRequestHeader(frame)
      const body = { apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] }
      const answer = encodeResponse(apis.apiVersions, apiVersion, correlationId, body)
      stream.write(Buffer.concat(answer))
    })
  })
}

describe('the connections of a client', () => {
  it('leave no stream behind when they are closed before the broker has agreed', async () => {
    const [ours] = duplexPair()
    const pool = poolOver(() => Promise.resolve(ours))
    const connecting = pool.connect('any', 'data')
    await turnOver()
    pool.close()
    await assert.rejects(connecting, { code: 'MR_CLIENT_CLOSED' })
    assert.equal(ours.destroyed, true)
  })

  it('end one that opens after its only user has left, and keep one that is shared', async () => {
    for (const [purpose, isKept] of [
      ['fetch:1', false],
      ['group:g#1', false],
      ['data', true],
    ] as const) {
      const [ours, theirs] = duplexPair()
      agree(theirs)
      const dialled = deferred<Duplex>()
      const pool = poolOver(() => dialled.promise)
      pool.learn({ ...parseAddress('broker:1'), nodeId: 1 })
      const leaving = new AbortController()
      const connecting = pool.connect(1, purpose, { signal: leaving.signal })
      await turnOver()
      leaving.abort(new Error('closed'))
      await assert.rejects(connecting, /closed/)
      dialled.resolve(ours)
      for (let turn = 0; turn < 10; turn++) await turnOver()
      assert.equal(pool.peek(1, purpose) !== undefined, isKept, purpose)
      assert.equal(ours.destroyed, !isKept, purpose)
      pool.close()
    }
  })
})
