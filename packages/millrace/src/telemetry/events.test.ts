import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { events } from './index.ts'

describe('the list of events', () => {
  it('keys each by its name, so that methods of listeners can be guessed', () => {
    for (const [key, { name }] of Object.entries(events)) {
      const expected = name.replaceAll(/[.-](\w)/g, (_, letter: string) => letter.toUpperCase())
      assert.equal(key, expected)
    }
  })

  it('has each name once, in words of lower case', () => {
    const names = Object.values(events).map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
    for (const name of names) assert.match(name, /^[a-z-]+(\.[a-z-]+)*$/)
  })

  it('costs one look while nobody listens, and hears each listener until it ends', () => {
    const heard: string[] = []
    assert.equal(events.partitionSeek.isHeard, false)
    const place = { group: '', groupId: '', consumer: '', topic: '', partition: 0 }
    const ends = ['a', 'b'].map((own) =>
      events.partitionSeek.subscribe(({ to }) => heard.push(own + to)),
    )
    assert.equal(events.partitionSeek.isHeard, true)
    events.partitionSeek.publish({ ...place, to: '1' })
    ends[0]?.()
    events.partitionSeek.publish({ ...place, to: '2' })
    ends[1]?.()
    assert.equal(events.partitionSeek.isHeard, false)
    assert.deepEqual(heard, ['a1', 'b1', 'b2'])
  })

  it('is not disturbed by a listener that fails, at once or later, and tells of it', async (test) => {
    const complaints = test.mock.method(console, 'error', () => undefined)
    const [now, later, last] = [new Error('now'), new Error('later'), new Error('last')]
    const told: unknown[] = []
    const heard: number[] = []
    const ends = [
      events.error.subscribe(({ type, error }) => told.push(type, error)),
      events.error.subscribe(() => {
        throw last
      }),
      events.partitionSeek.subscribe(() => {
        throw now
      }),
      events.partitionSeek.subscribe(() => Promise.reject(later) as unknown as void),
      events.partitionSeek.subscribe(() => heard.push(1)),
    ]
    const place = { group: '', groupId: '', consumer: '', topic: '', partition: 0 }
    events.partitionSeek.publish({ ...place, to: '1' })
    await new Promise((resolve) => setImmediate(resolve))
    for (const end of ends) end()
    assert.deepEqual(heard, [1])
    assert.deepEqual(told, ['listener.partition.seek', now, 'listener.partition.seek', later])
    assert.equal(complaints.mock.callCount(), 2, 'its own failure is told elsewhere')
  })
})
