import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deferred, manualClock, type Deferred, type ManualClock } from '../../kit/index.ts'
import type { Connection } from './connection.ts'
import { Sessions } from './sessions.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Sessions whose connections take as long to give back what they held as the test wants. */
interface SlowSessions {
  readonly clock: ManualClock
  readonly sessions: Sessions
  readonly connect: (id: number) => Connection
  /** Until what it gives is called, the connection is not done. */
  readonly hold: (id: number) => () => void
}

function slowSessions(): SlowSessions {
  const clock = manualClock()
  const byId = new Map<number, Connection>()
  const givenBack = new Map<number, Deferred<void>>()
  const part = {
    commands: {},
    closed: ({ id }: { readonly id: number }): Promise<void> =>
      givenBack.get(id)?.promise ?? Promise.resolve(),
  }
  const connect = (id: number): Connection => {
    const connection = { id, name: undefined } as unknown as Connection
    byId.set(id, connection)
    return connection
  }
  const hold = (id: number): (() => void) => {
    const wait: Deferred<void> = deferred()
    givenBack.set(id, wait)
    return () => wait.resolve()
  }
  return { clock, sessions: new Sessions(clock, [part], byId), connect, hold }
}

describe('names of connections', () => {
  it('pass on when the one that has it is done', async () => {
    const { sessions, connect, hold } = slowSessions()
    const [first, second] = [connect(1), connect(2)]
    await sessions.name(first, 'g:m')
    const giveBack = hold(1)
    sessions.over(first)
    let isNamed = false
    const naming = sessions.name(second, 'g:m').then(() => (isNamed = true))
    await settled()
    assert.equal(isNamed, false)
    giveBack()
    await naming
    assert.equal(second.name, 'g:m')
  })

  it('are not given to a connection that is gone', async () => {
    const { sessions, connect, hold } = slowSessions()
    const [first, second, third] = [connect(1), connect(2), connect(3)]
    await sessions.name(first, 'g:m')
    const giveBack = hold(1)
    sessions.over(first)
    const naming = sessions.name(second, 'g:m')
    naming.catch(() => undefined)
    await settled()
    sessions.over(second)
    giveBack()
    await naming.catch(() => undefined)
    assert.equal(second.name, undefined)
    await sessions.name(third, 'g:m')
    assert.equal(third.name, 'g:m')
  })

  it('are waited for five seconds, and are free then', async () => {
    const { clock, sessions, connect, hold } = slowSessions()
    const [first, second] = [connect(1), connect(2)]
    await sessions.name(first, 'g:m')
    hold(1)
    sessions.over(first)
    const naming = sessions.name(second, 'g:m')
    await clock.advanceAsync(5000)
    await naming
    assert.equal(second.name, 'g:m')
  })

  it('are refused when draining begins while one is waited for', async () => {
    const { sessions, connect, hold } = slowSessions()
    const [first, second] = [connect(1), connect(2)]
    await sessions.name(first, 'g:m')
    const giveBack = hold(1)
    sessions.over(first)
    const naming = sessions.name(second, 'g:m')
    naming.catch(() => undefined)
    sessions.isDraining = true
    giveBack()
    await assert.rejects(naming, { message: 'CONS Server shutdown', closes: true })
  })
})
