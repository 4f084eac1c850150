import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deferred, manualClock, type Deferred } from '../../kit/index.ts'
import type { Connection, ConnectionPool } from '../connections/index.ts'
import { Coordinators } from './coordinators.ts'

interface Asked {
  readonly answer: Deferred<unknown>
  readonly signal: AbortSignal | undefined
}

/** A pool whose only connection keeps FindCoordinator back until it is answered. */
function keepingPool(): { readonly pool: ConnectionPool; readonly asked: readonly Asked[] } {
  const asked: Asked[] = []
  const connection = {
    request: (_api: unknown, _body: unknown, { signal }: { readonly signal?: AbortSignal }) => {
      const answer = deferred<unknown>()
      asked.push({ answer, signal })
      signal?.addEventListener('abort', () => answer.reject(signal.reason))
      return answer.promise
    },
  }
  const pool = {
    connect: () => Promise.resolve(connection as unknown as Connection),
    broker: () => ({}),
  }
  return { pool: pool as unknown as ConnectionPool, asked }
}

const found = { coordinators: [], errorCode: 0, nodeId: 7, host: 'a', port: 1 }
const turnOver = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the search for a coordinator', () => {
  it('goes on for the others when the first who asked has left', async () => {
    const { pool, asked } = keepingPool()
    const coordinators = new Coordinators(pool, manualClock(), 1000)
    const leaving = new AbortController()
    const first = coordinators.find('g', { signal: leaving.signal })
    const second = coordinators.find('g')
    await turnOver()
    leaving.abort(new Error('revoked'))
    await assert.rejects(first, /revoked/)
    asked[0]?.answer.resolve(found)
    assert.equal(await second, 7)
    assert.equal(asked.length, 1)
  })

  it('lets who leaves go at once, also when somebody else began it', async () => {
    const { pool } = keepingPool()
    const coordinators = new Coordinators(pool, manualClock(), 1000)
    const first = coordinators.find('g')
    first.catch(() => undefined)
    const leaving = new AbortController()
    const second = coordinators.find('g', { signal: leaving.signal })
    await turnOver()
    leaving.abort(new Error('closed'))
    await assert.rejects(second, /closed/)
  })
})
