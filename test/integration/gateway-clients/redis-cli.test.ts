import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { missingTool } from '../../harness/tool.ts'

const run = promisify(execFile)
const missing = await missingTool('redis-cli', ['--version'], 'apt-get install redis-tools')

describe('redis-cli', { skip: missing ?? false }, () => {
  let at: TestGateway
  before(async () => {
    at = await startTestGateway()
    await at.createTopic('cli')
  })
  after(() => at[Symbol.asyncDispose]())

  async function cli(...words: readonly string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-p', String(at.gateway.port), ...words])
    return stdout.trimEnd()
  }

  it('produces, lists and counts', async () => {
    assert.equal(await cli('PING'), 'PONG')
    assert.equal(await cli('RPUSHX', 'topics:cli:k', 'a value'), '1')
    assert.equal(await cli('-3', 'HGETALL', 'stats').then((text) => text.split('\n').length), 3)
    assert.match(await cli('KEYS', 'topics:'), /^topics:cli$/m)
    assert.match(await cli('INFO'), /role:master/)
  })

  it('takes commands from standard input, in order', async () => {
    const child = spawn('redis-cli', ['-p', String(at.gateway.port)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    child.stdin.end('CLIENT DURABLE ON\nRPUSHX topics:cli "two words"\nXLEN cli\n')
    const lines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
    await once(child, 'close')
    assert.deepEqual(lines.slice(0, 2), ['OK', '1'])
    assert.ok(Number(lines[2]) >= 1)
  })

  it('reads a stream as other streams are read', async () => {
    const id = await cli('XADD', 'cli', '*', '@key', 'ada', 'total', '20')
    const shown = await cli('XRANGE', 'cli', id, '+')
    assert.match(shown, /total\s+20/)
    assert.match(await cli('XINFO', 'STREAM', 'cli'), /length/)
  })

  it('monitors', async () => {
    const child = spawn('redis-cli', ['-p', String(at.gateway.port), 'MONITOR'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    const [first] = (await once(lines, 'line')) as [string]
    assert.equal(first, 'OK')
    const seen = new Promise<string>((resolve) =>
      lines.on('line', (line) => {
        if (line.includes('"DUMP"')) resolve(line)
      }),
    )
    await cli('DUMP', '1')
    assert.match(await seen, /^\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "DUMP" "1"$/)
    child.kill()
    await once(child, 'close')
  })
})
