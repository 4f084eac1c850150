import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bulk, startTestGateway } from '../../harness/gateway.ts'

/** Commands of Redis that the original lacked. */
const lacked = ['HELLO', 'AUTH', 'SELECT', 'RESET', 'ECHO', 'INFO', 'COMMAND', 'XADD', 'SLOWLOG']

describe('commands that any Redis client sends', { concurrency: 4 }, () => {
  it('greet in both versions of the protocol', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    const fields = (reply: string): string[] =>
      ['server', 'version', 'proto', 'id', 'mode', 'role', 'modules'].filter((name) =>
        reply.includes(bulk(name)),
      )
    const second = await client.command('HELLO', '2')
    assert.match(second, /^\*14\r\n/)
    assert.equal(fields(second).length, 7)
    const third = await client.command('hello', '3', 'SETNAME', 'g:a')
    assert.match(third, /^%7\r\n/)
    assert.ok(third.includes(`${bulk('proto')}:3\r\n`))
    assert.ok(third.includes(`${bulk('mode')}${bulk('standalone')}`))
    assert.ok(third.includes(`${bulk('role')}${bulk('master')}`))
    assert.match(await client.command('HGETALL', 'stats'), /^%3\r\n/)
    assert.equal(await client.command('CLIENT', 'GETNAME'), bulk('g:a'))
    assert.equal(await client.command('HELLO', '4'), '-NOPROTO unsupported protocol version\r\n')
    assert.match(await client.command('HELLO', 'x'), /^-ERR Protocol version is not an integer/)
    assert.match(await client.command('HELLO'), /^%7\r\n/)
    assert.equal(await client.command('RESET'), '+RESET\r\n')
    assert.match(await client.command('HELLO'), /^\*14\r\n/)
  })

  it('select the one database that there is', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    assert.equal(await client.command('SELECT', '0'), '+OK\r\n')
    assert.equal(await client.command('SELECT', '1'), '-ERR DB index is out of range\r\n')
    assert.equal(
      await client.command('SELECT'),
      "-ERR wrong number of arguments for 'select' command\r\n",
    )
  })

  it('say that the gateway is ready, in the words that clients look for', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    const all = await client.command('INFO')
    for (const line of ['redis_mode:standalone', 'role:master', 'loading:0', 'cluster_enabled:0'])
      assert.ok(all.split('\r\n').includes(line), line)
    const some = await client.command('info', 'Replication', 'cluster')
    assert.match(
      some,
      /^\$\d+\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n# Cluster\r\n/,
    )
    assert.doesNotMatch(some, /loading/)
  })

  it('have clean answers where there is nothing to say', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    assert.match(await client.command('COMMAND', 'COUNT'), /^:\d\d\r\n$/)
    assert.equal(await client.command('COMMAND', 'DOCS'), '*0\r\n')
    assert.equal(await client.command('COMMAND'), '*0\r\n')
    assert.equal(await client.command('CONFIG', 'GET', 'save'), '*0\r\n')
    assert.match(await client.command('CONFIG', 'SET', 'a', 'b'), /^-ERR /)
    assert.equal(
      await client.command('CLUSTER', 'INFO'),
      '-ERR This instance has cluster support disabled\r\n',
    )
    assert.match(await client.command('CLIENT', 'TRACKING', 'ON'), /^-ERR /)
    assert.equal(await client.command('CLIENT', 'NO-EVICT', 'on'), '+OK\r\n')
    assert.equal(await client.command('CLIENT', 'NO-TOUCH', 'off'), '+OK\r\n')
    assert.equal(await client.command('CLIENT', 'SETINFO', 'LIB-NAME', 'ours'), '+OK\r\n')
    assert.equal(await client.command('CLIENT', 'SETINFO', 'lib-ver', '1.0'), '+OK\r\n')
    assert.match(await client.command('CLIENT', 'INFO'), / lib-name=ours lib-ver=1\.0 /)
    assert.equal(await client.command('CLIENT', 'ID'), ':1\r\n')
    assert.equal(await client.command('PING', 'ignored'), '+PONG\r\n')
    assert.equal(await client.command('SLOWLOG', 'LEN'), ':0\r\n')
    assert.equal(await client.command('SLOWLOG', 'GET'), '*0\r\n')
    assert.equal(await client.command('SLOWLOG', 'RESET'), '+OK\r\n')
  })

  it('are refused as Redis does where they are unknown', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    assert.equal(
      await client.command('Get', 'a', 'b\r\n'),
      "-ERR unknown command 'Get', with args beginning with: 'a' 'b\\r\\n' \r\n",
    )
    assert.equal(
      await client.command('NONE'),
      "-ERR unknown command 'NONE', with args beginning with: \r\n",
    )
    assert.equal(
      await client.command('CLIENT', 'None'),
      "-ERR unknown subcommand 'None'. Try CLIENT HELP.\r\n",
    )
    assert.equal(await client.command('CLIENT'), '-Command not supported: \r\n')
    assert.equal(await client.ask('*0\r\n'), '-Command not supported: \r\n')
    assert.equal(await client.command('PING'), '+PONG\r\n')
    const long = await client.command('x'.repeat(5000), 'y'.repeat(5000))
    assert.ok(long.length < 1000)
  })

  it('are refused as the original did in strict mode', async () => {
    await using gateway = await startTestGateway({ strict: true })
    const client = await gateway.dial()
    for (const name of lacked)
      assert.equal(
        await client.command(name.toLowerCase(), 'x'),
        `-Command not supported: ${name}\r\n`,
      )
    assert.equal(await client.command('client', 'id'), '-Command not supported: ID\r\n')
    assert.equal(
      await client.command('client', 'größe'),
      '-Command not supported: GRÖSSE\r\n'.replace('Ö', 'Ã\u0096'),
    )
    assert.equal(await client.command('PING'), '+PONG\r\n')
    assert.equal(await client.command('CLIENT', 'SETNAME', 'g:a'), bulk('OK'))
    assert.equal(await client.command('MONITOR'), '+OK\r\n')
  })
})
