import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deferred, manualClock } from '../../kit/index.ts'
import type { ConnectionPool } from '../connections/index.ts'
import { Coordinators } from './coordinators.ts'

type Deferred = ReturnType<typeof deferred<unknown>>

/** A pool whose only connection keeps FindCoordinator back until it is answered. */
function keepingPool(): { readonly pool: ConnectionPool; readonly asked: readonly Deferred[] } {
  const asked: Deferred[] = []
  const request = (
    _api: unknown,
    _body: unknown,
    options?: { readonly signal?: AbortSignal },
  ): Promise<unknown> => {
    const answer: Deferred = deferred<unknown>()
    asked.push(answer)
    options?.signal?.addEventListener('abort', () => answer.reject(options.signal?.reason))
    return answer.promise
  }
  const pool = {
    connect: () => Promise.resolve({ request }),
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
    asked[0]?.resolve(found)
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
