import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { openClient, type OutgoingMessage } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'
import { runCli, runShell, startCli } from './run-cli.ts'

const awkward: readonly Omit<OutgoingMessage, 'topic'>[] = [
  { key: 'k', value: '{"id":1}', timestamp: 1_700_000_000_000 },
  { key: null, value: Buffer.from([0xff, 0xfe, 0x00]), timestamp: 1_700_000_000_001 },
  { key: Buffer.from([0x80]), value: null, timestamp: 1_700_000_000_002 },
  { key: '', value: '', timestamp: 1_700_000_000_003 },
  {
    key: 'k',
    value: 'two\nlines\tand ünïcode 💙 \u2028',
    timestamp: 1_700_000_000_004,
    headers: [
      ['trace', 'a'],
      ['trace', Buffer.from([0xc3, 0x28])],
      ['empty', ''],
      ['none', null],
    ],
  },
]

describe('tail into write', () => {
  it('copies keys, headers, timestamps, tombstones and binary values unchanged', async () => {
    await using broker = await startTestBroker({ topics: { a: 1, b: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    await using producer = client.producer()
    for (const message of awkward) await producer.send({ topic: 'a', ...message })

    const line =
      'millrace tail a --from start --exit -o ndjson | millrace write b --input ndjson --quiet'
    const copied = await runShell(line, { env: { KAFKA_URL: broker.address } })
    assert.deepEqual([copied.code, copied.stdout, copied.stderr], [0, '', ''])

    const read = async (topic: string): Promise<unknown[]> => {
      await using reader = client.reader({ topics: [topic] })
      const messages = await Array.fromAsync(reader)
      return messages.map(({ key, value, headers, timestamp }) => ({
        key,
        value,
        headers,
        timestamp,
      }))
    }
    const [a, b] = [await read('a'), await read('b')]
    assert.equal(a.length, awkward.length)
    assert.deepEqual(b, a)
  })
})

describe('tail', () => {
  it('prints topic, partition, offset, bytes and 80 bytes of the value, as it always did', async () => {
    await using broker = await startTestBroker({ topics: { router: 32 } })
    const env = { KAFKA_URL: broker.address }
    const value =
      '{"prival":158,"version":1,"timestamp":"2016-05-04 08:33:23 +0000","hostname":"host","more":"than fits"}'
    const sent = await runCli(['write', 'router', value, '--partition', '20'], { env })
    assert.deepEqual([sent.code, sent.stdout], [0, 'router 20 0\n'])
    await runCli(['write', 'router', '--key', 'k', '--null', '-p', '20', '-q'], { env })
    const tailed = await runCli(['tail', 'router', '--from', 'start', '--exit'], { env })
    assert.equal(
      tailed.stdout,
      `router 20 0 ${value.length} {"prival":158,"version":1,"timestamp":"2016-05-04 08:33:23 +0000","hostname":"ho\n` +
        'router 20 1 0 NULL\n',
    )
    const whole = await runCli(['tail', 'router', '--from', '-2', '--max-length', '0', '-e'], {
      env,
    })
    assert.ok(whole.stdout.startsWith(`router 20 0 ${value.length} ${value}\n`))
  })

  it('follows from the end, and Ctrl-C is its normal end', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    await using producer = client.producer()
    await producer.send({ topic: 'orders', value: 'before' })
    await using tail = startCli(['tail', 'orders', '--brokers', broker.address])
    // It says nothing when it stands ready, so messages are sent until one is seen.
    await until('a message is shown', async () => {
      await producer.send({ topic: 'orders', value: 'after' })
      return tail.stdout.includes('\n')
    })
    tail.child.kill('SIGINT')
    const { code, stdout, stderr } = await tail.ended
    assert.deepEqual([code, stderr], [0, ''])
    assert.doesNotMatch(stdout, /before/)
    assert.match(stdout, /^orders 0 \d+ 5 after$/m)
  })

  it('chooses by key, value and count, between two offsets, and in the format of kcat', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    const env = { KAFKA_URL: broker.address }
    const input = Array.from({ length: 20 }, (_, n) => `{"n":${n}}\n`).join('')
    await runCli(['write', 'orders', '--key', 'even', '-q'], { env, input })
    const grep = await runCli(['tail', 'orders', '--from', '5', '-e', '--grep', '"n":1'], { env })
    assert.equal(grep.stdout.split('\n').length - 1, 10)
    assert.match(grep.stderr, /10 shown of 15 read/)
    const none = await runCli(['tail', 'orders', '--from', 'start', '-e', '--key', 'odd'], { env })
    assert.deepEqual([none.code, none.stdout], [0, ''])
    const format = ['--format', '%t[%p]@%o %k=%s\\n', '--from', '3', '--to', '5']
    const shown = await runCli(['tail', 'orders', ...format], { env })
    assert.equal(shown.stdout, 'orders[0]@3 even={"n":3}\norders[0]@4 even={"n":4}\n')
    const limited = await runCli(['tail', 'orders', '--from', 'start', '-n', '2'], { env })
    assert.equal(limited.stdout.split('\n').length - 1, 2)
    assert.equal(limited.code, 0)
  })

  it('ends quietly when its reader has seen enough', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    await using producer = client.producer()
    const value = 'x'.repeat(1000)
    await Promise.all(Array.from({ length: 2000 }, () => producer.send({ topic: 'orders', value })))
    const line =
      '(millrace tail orders --from start --max-length 0; echo "code $?" >&2) | head -n 1'
    const { stdout, stderr } = await runShell(line, { env: { KAFKA_URL: broker.address } })
    assert.equal(stdout.split('\n').length, 2)
    assert.equal(stderr, 'code 0\n')
  })
})

describe('write', () => {
  it('sends a line of its input each, bytes as they are, in order', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    const input = Buffer.from([0x61, 0x0a, 0x0a, 0xff, 0x0d, 0x0a, 0x62])
    const header = ['-H', 'a=1', '-H', 'a=2=3']
    const at = ['--brokers', broker.address]
    const { code, stdout } = await runCli(['write', 'orders', ...header, ...at, '--json'], {
      input,
    })
    assert.equal(code, 0)
    assert.equal(stdout.split('\n').length - 1, 4)
    assert.deepEqual(JSON.parse(stdout.split('\n')[0] ?? ''), {
      topic: 'orders',
      partition: 0,
      offset: 0,
    })
    await using reader = client.reader({ topics: ['orders'] })
    const messages = await Array.fromAsync(reader)
    assert.deepEqual(
      messages.map(({ value }) => value?.toString('latin1')),
      ['a', '', '\u00ff\r', 'b'],
    )
    assert.deepEqual(messages[0]?.headers, [
      ['a', Buffer.from('1')],
      ['a', Buffer.from('2=3')],
    ])
  })

  it('ends on Ctrl-C while it waits for input, with what it took acknowledged', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    const args = ['write', 'orders', '--brokers', broker.address]
    await using write = startCli(args, { input: 'a\nb\n', keepsInput: true })
    await until('both are acknowledged', () => write.stdout === 'orders 0 0\norders 0 1\n')
    write.child.kill('SIGINT')
    const { code, stderr } = await write.ended
    assert.deepEqual([code, stderr], [130, ''])
  })

  it('sends what stood before a bad line, and names the fault without its content', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    const folder = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
    try {
      await writeFile(join(folder, 'in.ndjson'), '{"value":"a"}\n{"value":"secret}\n')
      const args = ['write', 'orders', '--file', 'in.ndjson', '--brokers', broker.address]
      const { code, stdout, stderr } = await runCli(args, { cwd: folder })
      assert.equal(code, 1)
      assert.equal(stdout, 'orders 0 0\n')
      assert.match(stderr, /MR_CLI_INPUT/)
      assert.doesNotMatch(stderr, /secret/)
      const lost = await runCli(['write', 'orders', '--file', 'none', '--brokers', broker.address])
      assert.equal(lost.code, 1)
      assert.match(lost.stderr, /none: .*\n.*\n.*MR_CLI_FILE/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
