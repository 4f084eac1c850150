import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { startGateway } from '../../../packages/millrace/src/gateway/index.ts'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { missingTool } from '../../harness/tool.ts'

const missing = await missingTool(
  'ruby',
  ['-e', 'require "redis"'],
  'apt-get install ruby ruby-redis',
)
const program = join(import.meta.dirname, 'programs/rafka_calls.rb')

describe('redis-rb, with the calls that Rafka’s client makes', { skip: missing ?? false }, () => {
  let at: TestGateway
  before(async () => {
    at = await startTestGateway()
  })
  after(() => at[Symbol.asyncDispose]())

  it('produces, flushes, consumes, acknowledges batches, and comes again', async () => {
    await at.createTopic('rb', 2)
    const { lines, code } = await ruby(at.gateway.port, 'rb')
    assert.equal(code, 0, lines.join('\n'))
    assert.equal(lines.at(-1), 'all right')
    const committed = await at.client.admin.committedOffsets('rb')
    assert.equal(
      committed.reduce((sum, { offset }) => sum + Math.max(0, offset), 0),
      20,
    )
  })

  it('lives through a gateway that is replaced', async () => {
    await at.createTopic('moved')
    const options = { brokers: [at.broker.address], reusePort: true } as const
    const old = await startGateway({ ...options, port: 0 })
    const child = spawn('ruby', [program, String(old.port), 'moved', 'waits'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const lines = createInterface({ input: child.stdout })
    const said: string[] = []
    const ready = new Promise<void>((resolve) =>
      lines.on('line', (line) => {
        said.push(line)
        if (line === 'waiting') resolve()
      }),
    )
    const exited = once(child, 'close')
    await ready
    await using _next = await startGateway({ ...options, port: old.port })
    await old.stop()
    await using producer = at.client.producer()
    await producer.send({ topic: 'moved', value: 'after' })
    await exited
    assert.deepEqual(said, ['waiting', 'got after'])
  })
})

async function ruby(
  port: number,
  topic: string,
): Promise<{ readonly lines: readonly string[]; readonly code: number }> {
  const child = spawn('ruby', [program, String(port), topic], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line))
  const [code] = (await once(child, 'close')) as [number]
  return { lines, code }
}
