import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { createServer } from 'node:tls'

import { startBroker } from '../../../packages/millrace/src/broker/index.ts'
import { selfSigned } from '../client/self-signed.ts'
import { runCli } from './run-cli.ts'

/** A TLS listener in front of an embedded broker, which sends its clients there. */
async function startTlsBroker(
  name: string,
): Promise<{ readonly port: number; readonly cert: string } & AsyncDisposable> {
  await using opened = new AsyncDisposableStack()
  const { cert, key } = selfSigned(name)
  let brokerPort = 0
  const listener = createServer({ cert, key }, (socket) => {
    const inner = connect(brokerPort, '127.0.0.1')
    for (const [from, to] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  })
  // A client that does not trust us hangs up in the middle of the handshake.
  listener.on('tlsClientError', () => undefined)
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  opened.defer(() => void listener.close())
  const { port } = listener.address() as AddressInfo
  const broker = opened.use(await startBroker({ memory: true, advertised: `127.0.0.1:${port}` }))
  brokerPort = broker.port
  await broker.store.createTopic({ name: 'orders', partitions: 1, configs: {} })
  const stack = opened.move()
  return { port, cert, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe('KAFKA_URL with kafka+ssl://', () => {
  it('works with PEM texts in variables, though the certificate names another host', async () => {
    await using broker = await startTlsBroker('somewhere.example')
    const env = {
      KAFKA_URL: `kafka+ssl://127.0.0.1:${broker.port}`,
      KAFKA_TRUSTED_CERT: broker.cert,
    }
    const sent = await runCli(['write', 'orders', 'x'], { env })
    assert.deepEqual([sent.code, sent.stdout, sent.stderr], [0, 'orders 0 0\n', ''])
    const read = await runCli(['tail', 'orders', '--from', 'start', '--exit'], { env })
    assert.equal(read.stdout, 'orders 0 0 1 x\n')
  })

  it('refuses a chain that is not trusted', async () => {
    await using broker = await startTlsBroker('somewhere.example')
    const other = selfSigned('somewhere.example')
    const env = { KAFKA_URL: `kafka+ssl://127.0.0.1:${broker.port}` }
    for (const more of [{}, { KAFKA_TRUSTED_CERT: other.cert }]) {
      const { code, stderr } = await runCli(['topics'], { env: { ...env, ...more } })
      assert.equal(code, 1)
      assert.match(stderr, /certificate/)
    }
  })
})
