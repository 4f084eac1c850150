import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { scriptedBroker, startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'
import { startCli } from '../cli/run-cli.ts'
import { folderWith, isRefused } from './refused.ts'

/** An address at which nobody listens any more. */
async function deadAddress(): Promise<string> {
  await using broker = await scriptedBroker()
  return broker.address
}

describe('what is not there', { concurrency: 2 }, () => {
  it('is a cluster: each command names the address and how to start one', async () => {
    const address = await deadAddress()
    for (const args of [['topics'], ['info'], ['tail', 'a'], ['write', 'a', 'b'], ['groups']])
      await isRefused([...args, '--brokers', address], {
        code: 'MR_CLUSTER_UNREACHABLE',
        message: new RegExp(`no broker can be reached at ${address}: .*ECONNREFUSED`),
        hint: /`millrace dev` starts one/,
      })
  })

  it('is a cluster for a drain: it says so at once, and goes on trying', async () => {
    const address = await deadAddress()
    await using drain = startCli(['drain', '--port', '0', '--brokers', address])
    await until('it says so', () => drain.stderr.includes('\n'), { lastSeen: () => drain.stderr })
    assert.match(
      drain.stderr,
      new RegExp(`^no broker can be reached at ${address}: .*; trying again until it answers\n$`),
    )
    drain.child.kill('SIGINT')
    assert.equal((await drain.ended).code, 0)
  })

  it('is a topic or a group: the nearest is named, or what lists them', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    const at = ['--brokers', broker.address]
    const unknown = { code: 'MR_CLI_TOPIC_UNKNOWN', hint: /`millrace topics list`/ } as const
    for (const args of [['tail'], ['topics', 'info'], ['offsets']]) {
      const near = /there is no topic ordres; did you mean orders\?/
      await isRefused([...args, 'ordres', ...at], { ...unknown, message: near })
      const none = /there is no topic elephants$/m
      await isRefused([...args, 'elephants', ...at], { ...unknown, message: none })
    }
    await isRefused(['groups', 'info', 'mail', ...at], {
      code: 'MR_CLI_GROUP_UNKNOWN',
      message: /there is no group mail/,
      hint: /`millrace groups list`/,
    })
  })

  it('is a file to write from', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using folder = await folderWith()
    await isRefused(['write', 'orders', '--file', folder.at('none'), '--brokers', broker.address], {
      code: 'MR_CLI_FILE',
      message: /none.*ENOENT/,
      hint: /./,
    })
  })

  it('is the rest of the input, when a write is told to stop', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    const args = ['write', 'orders', '--brokers', broker.address]
    await using write = startCli(args, { input: 'one\n', keepsInput: true })
    await until('one is sent', () => write.stdout.includes('orders 0 0'))
    write.child.kill('SIGTERM')
    const { code, stderr } = await write.ended
    assert.deepEqual([code, stderr], [130, ''])
  })
})
