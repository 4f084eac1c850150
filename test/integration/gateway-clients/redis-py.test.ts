import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { missingTool } from '../../harness/tool.ts'

const run = promisify(execFile)
const python = '/usr/bin/python3'
const missing = await missingTool(python, ['-c', 'import redis'], 'apt-get install python3-redis')

describe('redis-py', { skip: missing ?? false }, () => {
  let at: TestGateway
  before(async () => {
    at = await startTestGateway()
    await at.createTopic('py', 2)
  })
  after(() => at[Symbol.asyncDispose]())

  it('pipelines, works through a group, claims, and hears errors as its own', async () => {
    const program = join(import.meta.dirname, 'programs/redis_py.py')
    const { stdout } = await run(python, [program, String(at.gateway.port), 'py'])
    assert.equal(stdout.trim().split('\n').at(-1), 'all right')
  })
})
