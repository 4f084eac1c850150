import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../kit/index.ts'
import { openClient } from './client.ts'

/** A client whose brokers are never there; nothing leaves the process. */
const awayFromAll = () =>
  openClient({
    brokers: ['nowhere:1'],
    clock: manualClock(),
    dial: () => Promise.reject(new Error('nobody there')),
  })

describe('a client', () => {
  it('keeps nothing of what was opened from it and closed again', async () => {
    const client = awayFromAll()
    const open = {
      producer: () => client.producer(),
      reader: () => client.reader({ topics: ['t'] }),
      member: () => client.joinGroup({ groupId: 'g', topics: ['t'] }),
    }
    for (const [name, start] of Object.entries(open)) {
      const part = start()
      assert.equal(client.opened, 1, name)
      await part.close({ timeoutMs: 0 })
      assert.equal(client.opened, 0, name)
    }
    await client.close()
  })
})
