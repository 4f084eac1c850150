import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { openClient } from '../../../packages/millrace/src/client/index.ts'
import {
  scriptedBroker,
  silence,
  startTestBroker,
} from '../../../packages/millrace/src/testing/index.ts'
import { runCli, startCli } from './run-cli.ts'

describe('a failure on the command line', () => {
  it('names the nearest topic and group', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    await client.admin.setOffsets('billing', [{ topic: 'orders', partition: 0, offset: 0 }])
    const env = { KAFKA_URL: broker.address }
    for (const args of [
      ['tail', 'ordrs'],
      ['topics', 'info', 'order'],
      ['topics', 'delete', 'ordes', '--yes'],
      ['write', 'oders', 'x'],
    ]) {
      const { code, stdout, stderr } = await runCli(args, { env })
      assert.deepEqual([code, stdout], [1, ''], args.join(' '))
      assert.match(stderr, /did you mean orders\?/)
    }
    const group = await runCli(['groups', 'info', 'biling'], { env })
    assert.equal(group.code, 1)
    assert.match(group.stderr, /did you mean billing\?/)
    assert.equal(broker.store.topic('oders'), undefined, 'a mistyped topic is not created')
  })

  it('is JSON on standard error for machines, with code, hint and context', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    const args = ['topics', 'info', 'ordrs', '--brokers', broker.address]
    for (const output of [['--json'], ['-o', 'json'], ['--output=ndjson'], ['-oyaml']]) {
      const { stdout, stderr } = await runCli([...args, ...output])
      assert.equal(stdout, '')
      const error = JSON.parse(stderr) as Readonly<Record<string, unknown>>
      assert.equal(error['code'], 'MR_CLI_TOPIC_UNKNOWN')
      assert.equal(error['retriable'], false)
      assert.deepEqual(error['context'], { topic: 'ordrs', near: 'orders' })
      assert.match(String(error['hint']), /topics list/)
    }
    const usage = await runCli(['topics', 'list', '--nothing', '--json'])
    assert.equal(usage.code, 2)
    assert.equal((JSON.parse(usage.stderr) as { readonly code: string }).code, 'MR_CLI_USAGE')
  })

  it('comes at once when no broker is there, with what to start', async () => {
    await using broker = await scriptedBroker()
    const { address } = broker
    await broker.close()
    const { code, stderr } = await runCli(['topics', '--brokers', address])
    assert.equal(code, 1)
    assert.match(stderr, /millrace dev/)
    assert.match(stderr, /MR_CLUSTER_UNREACHABLE/)
  })

  it('is 2 for a command line that cannot be meant', async () => {
    for (const args of [
      [],
      ['topcs'],
      ['topics', 'lits'],
      ['tail'],
      ['tail', 'a', '--from', 'soon'],
      ['tail', 'a', '--grep', '('],
      ['tail', 'a', '--partition', 'x'],
      ['write', 'a', '--null'],
      ['write', 'a', 'b', '--header', 'x'],
      ['explain', 'MR_NOTHING'],
      ['topics', '--brokers', 'http://a'],
      ['info', '--sample', 'long'],
    ]) {
      const { code } = await runCli(args)
      assert.equal(code, 2, args.join(' '))
    }
  })

  it('is 130 when a command is interrupted', async () => {
    await using broker = await scriptedBroker({ on: { metadata: () => silence } })
    await using cli = startCli(['topics', 'list', '--brokers', broker.address])
    await broker.received('metadata', 1, 20_000)
    cli.child.kill('SIGINT')
    const { code, stdout, stderr } = await cli.ended
    assert.deepEqual([code, stdout, stderr], [130, '', ''])
  })

  it('is explained offline', async () => {
    const { code, stdout } = await runCli(['explain', 'mr_storage_locked'])
    assert.equal(code, 0)
    assert.match(stdout, /^MR_STORAGE_LOCKED \(StorageError/)
    const near = await runCli(['explain', 'MR_STORAGE_LOKED'])
    assert.match(near.stderr, /did you mean MR_STORAGE_LOCKED\?/)
  })
})
