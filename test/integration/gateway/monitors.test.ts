import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bulk, encode, startTestGateway } from '../../harness/gateway.ts'

const time = String.raw`\d{10}\.\d{6}`

describe('MONITOR', { concurrency: 4 }, () => {
  it('tells every command of the process with who sent it, its own included', async () => {
    await using gateway = await startTestGateway()
    const monitor = await gateway.dial()
    assert.equal(await monitor.command('MONITOR'), '+OK\r\n')
    const client = await gateway.dial()
    const { localPort: port } = client.socket
    await client.command('client', 'setname', 'g:a')
    await client.command('rpushx', 'topics:t', 'a"\r\n\u0000é\\')
    monitor.write('PING\r\n')
    const lines: string[] = []
    for (let count = 0; count < 4; count++) lines.push(await monitor.reply())
    // Its own reply and its own line come in one turn: the reply first.
    assert.equal(lines[2], '+PONG\r\n')
    assert.match(
      lines[0]!,
      new RegExp(`^\\+${time} \\[0 127.0.0.1:${port}\\] "CLIENT" "setname" "g:a"\r\n$`),
    )
    const value = String.raw`"a\\"\\r\\n\\x00\\xc3\\xa9\\\\"`
    const expected = `^\\+${time} \\[0 g:a 127.0.0.1:${port}\\] "RPUSHX" "topics:t" `
    assert.match(lines[1]!, new RegExp(expected))
    assert.equal(lines[1]!.slice(lines[1]!.indexOf('"a')), `${value.replaceAll('\\\\', '\\')}\r\n`)
    assert.match(lines[3]!, new RegExp(`^\\+${time} \\[0 127.0.0.1:\\d+\\] "PING"\r\n$`))
  })

  it('answers before it tells, also behind replies that are on their way', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('t')
    const monitor = await gateway.dial()
    monitor.write(
      Buffer.concat([
        encode(['CLIENT', 'DURABLE', 'ON']),
        encode(['RPUSHX', 'topics:t', 'a']),
        encode(['MONITOR']),
        encode(['ECHO', 'x']),
      ]),
    )
    const replies: string[] = []
    for (let count = 0; count < 5; count++) replies.push(await monitor.reply())
    assert.deepEqual(replies.slice(0, 3), ['+OK\r\n', ':1\r\n', '+OK\r\n'])
    assert.ok(replies.includes(bulk('x')))
    assert.ok(replies.some((reply) => reply.includes('"ECHO" "x"')))
  })

  it('takes no argument, and no more than 64 watchers', async () => {
    await using gateway = await startTestGateway()
    const first = await gateway.dial()
    assert.equal(
      await first.command('MONITOR', 'x'),
      "-ERR command 'monitor' does not accept any extra arguments\r\n",
    )
    const monitors = await Promise.all(Array.from({ length: 64 }, () => gateway.dial()))
    for (const one of monitors) one.write('MONITOR\r\n')
    for (const one of monitors) assert.equal(await one.reply(), '+OK\r\n')
    assert.match(await first.command('MONITOR'), /^-ERR /)
    assert.equal(gateway.gateway.figures()['monitors'], 64)
  })

  it('drops and counts what a slow reader leaves, and holds nobody up', async () => {
    await using gateway = await startTestGateway()
    const monitor = await gateway.dial()
    await monitor.command('MONITOR')
    monitor.socket.pause()
    const client = await gateway.dial()
    const chunk = Buffer.concat(
      Array.from({ length: 1000 }, () => encode(['ECHO', 'x'.repeat(1000)])),
    )
    for (let turn = 0; turn < 20; turn++) {
      client.write(chunk)
      for (let count = 0; count < 1000; count++) await client.reply()
    }
    assert.ok(Number(gateway.gateway.figures()['monitor_dropped_lines']) > 0)
    assert.equal(gateway.gateway.figures()['connections_disconnected'], 0)
    monitor.socket.resume()
    assert.match(await monitor.reply(), /"ECHO" "x/)
  })

  it('gets a burst of commands whole when it reads', async () => {
    await using gateway = await startTestGateway()
    const monitor = await gateway.dial()
    await monitor.command('MONITOR')
    const client = await gateway.dial()
    client.write(Buffer.concat(Array.from({ length: 5000 }, (_, at) => encode(['ECHO', `${at}`]))))
    for (let at = 0; at < 5000; at++)
      assert.ok((await monitor.reply()).endsWith(`"ECHO" "${at}"\r\n`))
  })

  it('cuts what is long: each argument, and the line', async () => {
    await using gateway = await startTestGateway()
    const monitor = await gateway.dial()
    await monitor.command('MONITOR')
    const client = await gateway.dial()
    await client.command('ECHO', 'x'.repeat(1025))
    assert.ok((await monitor.reply()).endsWith(`"ECHO" "${'x'.repeat(1024)}..."\r\n`))
    await client.command('NONE', ...Array.from({ length: 60_000 }, () => '\u0000'))
    const line = await monitor.reply()
    assert.ok(line.length < 20_000)
    assert.match(line, /"\\x00" \.\.\. \(\d+ more\)\r\n$/)
  })

  it('shows no credentials', async () => {
    await using gateway = await startTestGateway()
    const monitor = await gateway.dial()
    await monitor.command('MONITOR')
    const client = await gateway.dial()
    await client.command('AUTH', 'ann', 'secret')
    await client.command('HELLO', '3', 'AUTH', 'ann', 'secret', 'SETNAME', 'g:a')
    assert.match(await monitor.reply(), /"AUTH" "\(redacted\)"\r\n$/)
    assert.match(
      await monitor.reply(),
      /"HELLO" "3" "AUTH" "\(redacted\)" "\(redacted\)" "SETNAME" "g:a"\r\n$/,
    )
  })
})
