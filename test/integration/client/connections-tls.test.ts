import assert from 'node:assert/strict'
import { connect, createServer as createPlain, type AddressInfo, type Server } from 'node:net'
import { describe, it } from 'node:test'
import { createServer } from 'node:tls'
import { openClient, type TlsOptions } from '../../../packages/millrace/src/client/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scriptedBroker } from '../../../packages/millrace/src/testing/index.ts'
import { selfSigned } from './self-signed.ts'

const topics = { orders: { partitions: 1 } }
const { cert, key } = selfSigned()

interface TlsFront extends AsyncDisposable {
  readonly port: number
}

/** TLS in front of a plain broker. */
async function tlsBefore(address: string, requiresClientCertificate = false): Promise<TlsFront> {
  const [host = '', port = ''] = address.split(':')
  const options = { cert, key, ca: cert, requestCert: requiresClientCertificate }
  const server: Server = createServer(options, (socket) => {
    const behind = connect({ host, port: Number(port) })
    socket.pipe(behind).pipe(socket)
    for (const end of [socket, behind]) end.on('error', () => end.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function ask(address: string, tls?: TlsOptions): Promise<void> {
  await using client = openClient({
    brokers: [address],
    ...(tls ? { tls } : {}),
    apiTimeoutMs: 400,
  })
  await client.metadata.refresh()
}

describe('TLS', { timeout: 30_000 }, () => {
  it('reaches a broker whose certificate is trusted and names it', async () => {
    await using broker = await scriptedBroker({ topics })
    await using front = await tlsBefore(broker.address)
    await ask(`localhost:${front.port}`, { ca: cert })
    assert.equal(broker.asked('metadata').length, 1)
  })

  it('shows a client certificate where one is asked for', async () => {
    await using broker = await scriptedBroker({ topics })
    await using front = await tlsBefore(broker.address, true)
    await ask(`localhost:${front.port}`, { ca: cert, cert, key })
    await assert.rejects(ask(`localhost:${front.port}`, { ca: cert }))
  })

  it('refuses an unknown authority', async () => {
    await using broker = await scriptedBroker({ topics })
    await using front = await tlsBefore(broker.address)
    await assert.rejects(ask(`localhost:${front.port}`, {}), /self-signed certificate/)
    assert.equal(broker.requests.length, 0)
  })

  it('refuses another host’s certificate, unless the host check alone is switched off', async () => {
    await using broker = await scriptedBroker({ topics })
    await using front = await tlsBefore(broker.address)
    const address = `127.0.0.1:${front.port}`
    await assert.rejects(ask(address, { ca: cert }), /altnames/)
    await ask(address, { ca: cert, checksHostName: false })
    await assert.rejects(ask(address, { checksHostName: false }), /self-signed certificate/)
    await ask(address, { ca: cert, serverName: 'localhost' })
  })

  it('that is missing on one side is named, on either', async () => {
    await using broker = await scriptedBroker({ topics })
    await using front = await tlsBefore(broker.address)
    await assert.rejects(ask(`localhost:${front.port}`), /as TLS ports do/)
    const plain = createPlain((socket) => {
      socket.on('error', () => socket.destroy())
      socket.once('data', () => socket.end(Buffer.from([0, 0, 0, 4, 0, 0, 0, 1])))
    })
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    const { port } = plain.address() as AddressInfo
    await assert.rejects(ask(`127.0.0.1:${port}`, { ca: cert }), (error) =>
      isFailure(error, 'MR_CONNECTION_WRONG_PEER'),
    )
    plain.close()
  })
})
