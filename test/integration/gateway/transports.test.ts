import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { startGateway } from '../../../packages/millrace/src/gateway/index.ts'
import { bulk, RawConnection, startTestGateway } from '../../harness/gateway.ts'
import { selfSigned } from '../client/self-signed.ts'

const brokers = ['127.0.0.1:1']

async function opened(socket: Socket, event: string): Promise<RawConnection> {
  await once(socket, event)
  return new RawConnection(socket)
}

describe('the ways to a gateway', { concurrency: 4 }, () => {
  it('may be TLS', async () => {
    const { cert, key } = selfSigned()
    await using gateway = await startTestGateway({ tls: { cert, key } })
    const { port, url } = gateway.gateway
    assert.equal(url, `rediss://127.0.0.1:${port}`)
    const client = await opened(
      connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: cert }),
      'secureConnect',
    )
    assert.equal(await client.command('PING'), '+PONG\r\n')
    const large = 'x'.repeat(1_000_000)
    assert.equal(await client.command('ECHO', large), bulk(large))
    assert.equal(await client.command('QUIT'), bulk('OK'))
    assert.equal(await client.rest(), '')
    const plain = await gateway.dial()
    plain.write('PING\r\n')
    assert.doesNotMatch(await plain.rest(), /PONG/)
  })

  it('may be TLS for those who have a certificate', async () => {
    const server = selfSigned()
    const known = selfSigned()
    const { cert, key } = server
    await using gateway = await startTestGateway({
      tls: { cert, key, ca: known.cert, requestCert: true, rejectUnauthorized: true },
    })
    const where = { port: gateway.gateway.port, host: '127.0.0.1', servername: 'localhost' }
    const client = await opened(connectTls({ ...where, ca: cert, ...known }), 'secureConnect')
    assert.equal(await client.command('PING'), '+PONG\r\n')
    client.close()
    const stranger = await opened(connectTls({ ...where, ca: cert }), 'secureConnect')
    stranger.write('PING\r\n')
    assert.equal(await stranger.rest(), '')
    stranger.close()
  })

  it('may be a unix socket, also where a killed gateway has left its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-gateway-'))
    const socket = join(folder, 'gateway.sock')
    try {
      const { createServer } = await import('node:net')
      const left = createServer()
      await new Promise<void>((resolve) => void left.listen(socket, resolve))
      await assert.rejects(startGateway({ brokers, port: 0, socket }), {
        code: 'MR_GATEWAY_LISTEN',
      })
      left.close()
      await using gateway = await startTestGateway({ socket })
      const client = await opened(connect(socket), 'connect')
      assert.equal(await client.command('CLIENT', 'GETNAME'), bulk(`${socket}:1`))
      const other = await gateway.dial()
      assert.equal(await other.command('PING'), '+PONG\r\n')
      client.close()
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('are closed to other machines unless users or a word say otherwise', async () => {
    await assert.rejects(startGateway({ brokers, port: 0, host: '0.0.0.0' }), {
      code: 'MR_GATEWAY_INSECURE',
    })
    await using open = await startGateway({ brokers, port: 0, host: '0.0.0.0', insecure: true })
    assert.ok(open.port > 0)
    const users = [{ name: 'a', password: 'b' }]
    await using known = await startGateway({ brokers, port: 0, host: '0.0.0.0', users })
    assert.ok(known.port > 0)
  })

  it('say what holds the port', async () => {
    await using gateway = await startTestGateway()
    await assert.rejects(startGateway({ brokers, port: gateway.gateway.port }), {
      code: 'MR_GATEWAY_LISTEN',
      message: /something else listens there/,
    })
  })

  it('tell the address that a balancer writes in front', async () => {
    await using gateway = await startTestGateway({ proxyProtocol: true })
    const first = await gateway.dial()
    for (const byte of Buffer.from(
      'PROXY TCP4 192.0.2.1 192.0.2.2 4711 6380\r\nCLIENT GETNAME\r\n',
    ))
      first.write(Buffer.from([byte]))
    assert.equal(await first.reply(), bulk('192.0.2.1:4711'))

    const second = await gateway.dial()
    const addresses = Buffer.from([192, 0, 2, 7, 192, 0, 2, 2, 0x12, 0x34, 0x18, 0xec])
    second.write(
      Buffer.concat([
        Buffer.from('0d0a0d0a000d0a515549540a2111', 'hex'),
        Buffer.from([0, addresses.length]),
        addresses,
        Buffer.from('CLIENT GETNAME\r\n'),
      ]),
    )
    assert.equal(await second.reply(), bulk('192.0.2.7:4660'))

    const without = await gateway.dial()
    without.write('PING\r\n')
    assert.equal(await without.rest(), '')
    without.close()
  })

  it('tell it in front of TLS as well', async () => {
    const { cert, key } = selfSigned()
    await using gateway = await startTestGateway({ proxyProtocol: true, tls: { cert, key } })
    const plain = connect(gateway.gateway.port, '127.0.0.1')
    await once(plain, 'connect')
    plain.write('PROXY TCP4 192.0.2.1 192.0.2.2 4711 6380\r\n')
    const client = await opened(
      connectTls({ socket: plain, servername: 'localhost', ca: cert }),
      'secureConnect',
    )
    assert.equal(await client.command('CLIENT', 'GETNAME'), bulk('192.0.2.1:4711'))
    client.close()
  })

  it('have health and metrics beside them', async () => {
    await using gateway = await startTestGateway({ healthPort: 0 })
    await gateway.createTopic('t')
    const client = await gateway.dial()
    await client.command('PING')
    await client.command('RPUSHX', 'topics:t', 'x')
    await client.command('NONSENSE')
    await client.command('DUMP', '5000')
    const base = `http://${gateway.gateway.healthAddress}`
    assert.equal((await fetch(`${base}/healthz`)).status, 200)
    assert.equal((await fetch(`${base}/readyz`)).status, 200)
    assert.equal((await fetch(`${base}/else`)).status, 404)
    const text = await (await fetch(`${base}/metrics`)).text()
    for (const line of [
      'millrace_gateway_connections 1',
      'millrace_gateway_commands_total{command="ping",result="ok"} 1',
      'millrace_gateway_commands_total{command="unknown",result="error"} 1',
      'millrace_gateway_command_seconds_count{command="rpushx"} 1',
      'millrace_gateway_produced_messages 1',
      'millrace_gateway_blocked_calls 0',
      'millrace_gateway_monitor_dropped_lines 0',
    ])
      assert.ok(text.split('\n').includes(line), `${line} is in\n${text}`)
    for (const line of text.trimEnd().split('\n'))
      assert.match(line, /^(# TYPE [a-z_]+ (counter|gauge|histogram)|[a-z_]+(\{[^}]*\})? \S+)$/)
  })
})
