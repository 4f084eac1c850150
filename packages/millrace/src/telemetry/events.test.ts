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
})
