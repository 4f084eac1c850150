import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { runCli, type CliResult } from './run-cli.ts'

const started = startTestBroker({ topics: { orders: 2, 'orders-dlt': 2, repair: 1, alien: 1 } })

interface Sent {
  readonly partition: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
}

describe('millrace dead-letters', { concurrency: false }, () => {
  const cli = async (words: string): Promise<CliResult> => {
    const { address } = await started
    return runCli(words.split(' '), { env: { KAFKA_URL: address } })
  }
  const json = async <T>(words: string): Promise<T> => {
    const { code, stdout, stderr } = await cli(`${words} --json`)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as T
  }
  const inTopic = async (client: Client, topic: string): Promise<readonly Sent[]> => {
    const found: Sent[] = []
    await using reader = client.reader({ topics: [topic] })
    for await (const { partition, key, value, headers } of reader)
      found.push({
        partition,
        key: key?.toString() ?? null,
        value: value?.toString() ?? null,
        headers: Object.fromEntries(headers.map(([name, text]) => [name, String(text)])),
      })
    return found
  }

  it('counts by error, shows one, previews and sends back', async (test) => {
    await using broker = await started
    await using client = openClient({ brokers: [broker.address] })
    await using producer = client.producer()
    const died = (partition: number, key: string, error: string, value: string): Promise<unknown> =>
      producer.send({
        topic: 'orders-dlt',
        partition,
        key,
        value,
        headers: [
          ['own', 'x y'],
          ['millrace-id', `id-${key}`],
          ['millrace-source-topic', 'orders'],
          ['millrace-source-partition', String(partition)],
          ['millrace-source-offset', '4'],
          ['millrace-group', 'mail'],
          ['millrace-attempts', '4'],
          ['millrace-reason', 'error'],
          ['millrace-error-class', error],
          ['millrace-error-message', `what happened to ${key}`],
          ['millrace-error-stack', `${error}: what\n    at send (mail.ts:1:1)`],
        ],
      })
    await died(0, 'a', 'TypeError', '{"id":1}')
    await died(1, 'b', 'RangeError', '{"id":2}')
    await died(1, 'c', 'TypeError', '{"id":3}')
    await producer.send({ topic: 'alien', value: 'not one of ours' })

    await test.test('list', async () => {
      const rows = await json<readonly object[]>('dead-letters list')
      assert.deepEqual(
        rows.map((row) => ({ ...row, oldestMs: 0, newestMs: 0 })),
        [
          ['TypeError', 2],
          ['RangeError', 1],
        ].map(([error, count]) => ({
          topic: 'orders-dlt',
          group: 'mail',
          error,
          reason: 'error',
          count,
          redriven: 0,
          oldestMs: 0,
          newestMs: 0,
        })),
      )
      const { stdout } = await cli('dead-letters list orders-dlt --at 1:0-9 --header own=x')
      assert.equal(stdout, '', 'no header has that value')
      const foreign = await json<readonly object[]>('dead-letters list alien')
      assert.partialDeepStrictEqual(foreign, [{ group: '-', error: 'unknown', count: 1 }])
    })

    await test.test('show', async () => {
      const { stdout } = await cli('dead-letter show orders-dlt 1:0')
      assert.match(stdout, /^=== orders-dlt\/1@0\n/)
      assert.match(stdout, /^From: +orders\/1@4$/m)
      assert.match(stdout, /^Message: +what happened to b$/m)
      assert.match(stdout, /^ {2}own: x y$/m)
      assert.match(stdout, /^ {2}at send \(mail\.ts:1:1\)$/m)
      assert.match(stdout, /^Value \(8 bytes\)\n\n\{"id":2\}\n$/m)
      const missing = await cli('dead-letters show orders-dlt 1:9')
      assert.equal(missing.code, 1)
      assert.match(missing.stderr, /there is no letter 1:9 in orders-dlt/)
      assert.equal((await cli('dead-letters show orders-dlt here')).code, 2)
    })

    await test.test('redrive is a preview unless --execute', async () => {
      const { stdout, stderr, code } = await cli(
        'dead-letters redrive orders-dlt --error TypeError',
      )
      assert.equal(code, 0)
      assert.match(stdout, /^Would send: +2 messages$/m)
      assert.match(stdout, /^For: +mail \(2\)$/m)
      assert.match(stdout, /^0:0 +a +0 +what happened to a$/m)
      assert.match(
        stderr,
        /To send them: millrace dead-letters redrive orders-dlt --error TypeError --execute/,
      )
      assert.match(stderr, /may send its last batch twice/)
      assert.deepEqual(await inTopic(client, 'orders'), [])
    })

    await test.test('redrive --execute sends them once', async () => {
      const command = 'dead-letters redrive orders-dlt --error TypeError --execute'
      assert.partialDeepStrictEqual(await json(command), { read: 3, chosen: 2, sent: 2 })
      assert.partialDeepStrictEqual(await json(command), { read: 0, chosen: 0, sent: 0 })
      const found = await inTopic(client, 'orders')
      const back = found.toSorted((left, right) => left.partition - right.partition)
      assert.deepEqual(
        back.map(({ partition, key, value }) => [partition, key, value]),
        [
          [0, 'a', '{"id":1}'],
          [1, 'c', '{"id":3}'],
        ],
      )
      assert.partialDeepStrictEqual(back[0]?.headers, {
        own: 'x y',
        'millrace-redrives': '1',
        'millrace-only-group': 'mail',
        'millrace-last-error-class': 'TypeError',
      })
      assert.partialDeepStrictEqual(await json(`${command} --again`), { sent: 2 })
    })

    await test.test('another topic, for everybody, and what names no source stays', async () => {
      const words = 'dead-letters redrive orders-dlt --at 1:0 --to repair --all-groups --execute'
      assert.partialDeepStrictEqual(await json(words), { sent: 1 })
      const [copy] = await inTopic(client, 'repair')
      assert.equal(copy?.headers['millrace-only-group'], undefined)
      assert.partialDeepStrictEqual(await json('dead-letters redrive alien --execute'), {
        chosen: 1,
        sent: 0,
        withoutTarget: 1,
      })
      const own = await cli('dead-letters redrive orders-dlt --to orders-dlt --execute')
      assert.equal(own.code, 1)
      assert.match(own.stderr, /where the letters lie/)
    })
  })
})
