import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startGateway } from '../../../packages/millrace/src/gateway/index.ts'
import { dial, startTestGateway } from '../../harness/gateway.ts'

describe('a gateway that takes over from another', { skip: process.platform !== 'linux' }, () => {
  it('on the same port leaves no client refused', async () => {
    await using first = await startTestGateway({ reusePort: true })
    const { port } = first.gateway
    const faults: unknown[] = []
    let answered = 0
    const over = new AbortController()
    const knock = async (): Promise<void> => {
      while (!over.signal.aborted) {
        try {
          const client = await dial(port)
          client.write('PING\r\n')
          client.end()
          if ((await client.rest()) === '+PONG\r\n') answered++
          client.close()
        } catch (error) {
          // Who comes between a last look at the queue and the close is reset: here, in one process, more of them.
          if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') faults.push(error)
        }
      }
    }
    const clients = Array.from({ length: 8 }, knock)
    for (let turn = 0; turn < 10; turn++) {
      const brokers = [first.broker.address]
      const second = await startGateway({ brokers, port, reusePort: true })
      const third = await startGateway({ brokers, port, reusePort: true })
      await second.stop()
      await third.stop()
    }
    over.abort()
    await Promise.all(clients)
    assert.deepEqual(faults, [])
    assert.ok(answered > 0)
  })
})
