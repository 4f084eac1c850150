import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { missingTool } from '../../harness/tool.ts'

const run = promisify(execFile)
const folder = join(import.meta.dirname, '../../../examples/gateway')
const python = '/usr/bin/python3'

const [noCli, noRuby, noPython] = await Promise.all([
  missingTool('redis-cli', ['--version'], 'apt-get install redis-tools'),
  missingTool('ruby', ['-e', 'require "redis"'], 'apt-get install ruby ruby-redis'),
  missingTool(python, ['-c', 'import redis'], 'apt-get install python3-redis'),
])

describe('the examples of the gateway', () => {
  let at: TestGateway

  before(async () => {
    at = await startTestGateway()
  })
  after(() => at[Symbol.asyncDispose]())

  const lines = ['hello', 'with "quotes" and \\ a backslash', 'grüße', 'last']

  async function topicWithLines(name: string): Promise<void> {
    await at.createTopic(name, 2)
    await using producer = at.client.producer()
    for (const value of lines) await producer.send({ topic: name, value })
  }

  it('produces lines from a shell', { skip: noCli ?? false }, async () => {
    await at.createTopic('shell', 2)
    const child = spawn(join(folder, 'produce.sh'), ['shell', String(at.gateway.port)], {
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    child.stdin.end(`${lines.join('\n')}\n`)
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    assert.equal(code, 0, said)
    const found: string[] = []
    await using reader = at.client.reader({ topics: ['shell'] })
    for await (const { value } of reader) found.push(String(value))
    assert.deepEqual(found.toSorted(), lines.toSorted())
  })

  it('fails from a shell where there is no such topic', { skip: noCli ?? false }, async () => {
    const child = spawn(join(folder, 'produce.sh'), ['missing', String(at.gateway.port)], {
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    child.stdin.end('lost\n')
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    assert.equal(code, 1)
    assert.match(said, /PROD Local: Unknown topic/)
  })

  it('consumes and acknowledges from Ruby', { skip: noRuby ?? false }, async () => {
    await topicWithLines('ruby')
    const { stdout } = await run('ruby', ['consumer.rb', 'ruby', 'mail', 'one', '4'], {
      cwd: folder,
      env: { ...process.env, GATEWAY_URL: at.gateway.url },
    })
    const values = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').slice(1).join(' '))
    assert.deepEqual(values.toSorted(), lines.toSorted())
    const committed = await at.client.admin.committedOffsets('mail')
    assert.equal(
      committed.reduce((sum, { offset }) => sum + Math.max(0, offset), 0),
      4,
      'acknowledged before it left',
    )
  })

  it('works through a stream from Python', { skip: noPython ?? false }, async () => {
    await topicWithLines('python')
    const { stdout } = await run(python, ['stream_worker.py', 'python', 'reports', 'one', '4'], {
      cwd: folder,
      env: { ...process.env, GATEWAY_URL: at.gateway.url, PYTHONIOENCODING: 'utf-8' },
    })
    assert.equal(stdout.trim().split('\n').length, 4)
    assert.match(stdout, /^\d-\d+ \{'@value': 'hello'/m)
  })
})
