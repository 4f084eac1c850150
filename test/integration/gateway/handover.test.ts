import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { startGateway } from '../../../packages/millrace/src/gateway/index.ts'
import { dial, startTestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'

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

  it('behind a socket that was handed to both leaves none refused or reset', async () => {
    await using first = await startTestGateway()
    const listener = createServer()
    await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', resolve))
    const { port } = listener.address() as AddressInfo
    const old = startOn(listener, first.broker.address)
    const next = startOn(listener, first.broker.address)
    try {
      await Promise.all([ready(old), ready(next)])
      listener.close()
      const faults: unknown[] = []
      let answered = 0
      const over = new AbortController()
      const knock = async (): Promise<void> => {
        while (!over.signal.aborted) {
          try {
            const client = await dial(port)
            client.write('PING\r\n')
            if ((await client.reply()) === '+PONG\r\n') answered++
            client.close()
          } catch (error) {
            // Accepted by the one that ends, and closed before it was read.
            if (!/the connection ended/.test(String(error))) faults.push(error)
          }
        }
      }
      const clients = Array.from({ length: 8 }, knock)
      await until('some are answered', () => answered > 100)
      old.kill('SIGTERM')
      assert.deepEqual(await once(old, 'exit'), [0, null])
      const before = answered
      await until('more are answered', () => answered > before + 100)
      over.abort()
      await Promise.all(clients)
      assert.deepEqual(faults, [])
    } finally {
      old.kill('SIGKILL')
      next.kill('SIGKILL')
    }
  })

  it('does not serve everybody on a socket that others reach', async () => {
    const listener = createServer()
    await new Promise<void>((resolve) => void listener.listen(0, '0.0.0.0', resolve))
    const child = startOn(listener, '127.0.0.1:1')
    const [code] = (await once(child, 'exit')) as [number | null]
    listener.close()
    assert.equal(code, 1)
  })
})

const program = join(import.meta.dirname, '../../../packages/millrace/src/cli/main.ts')

/** As systemd starts what it holds a socket for (sd_listen_fds): descriptor 3, and the process's own id. */
function startOn(listener: Server, broker: string): ChildProcess {
  const command = `LISTEN_PID=$$ exec "$0" "$1" gateway --bootstrap-servers ${broker}`
  // Node shares no listener with a child that it does not control, but any descriptor.
  const { fd } = (listener as unknown as { readonly _handle: { readonly fd: number } })._handle
  return spawn('sh', ['-c', command, process.execPath, program], {
    env: { ...process.env, LISTEN_FDS: '1' },
    stdio: ['ignore', 'pipe', 'ignore', fd],
  })
}

async function ready({ stdout }: ChildProcess): Promise<void> {
  assert.ok(stdout)
  for await (const line of createInterface(stdout)) if (line.startsWith('Gateway on')) return
  throw new Error('the gateway did not start')
}
