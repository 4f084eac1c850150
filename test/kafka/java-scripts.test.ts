import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startBroker, type Broker } from '../../packages/millrace/src/broker/index.ts'
import { openClient, type Client } from '../../packages/millrace/src/client/index.ts'
import { javaTool, missingJava, runJavaTool } from './java.ts'

const options = { skip: missingJava ?? false, timeout: 110_000 }
const topic = 'scripts'

describe(
  "Kafka's own producers, consumers and log reader, and the embedded broker",
  options,
  () => {
    let folder: string
    let broker: Broker
    let client: Client
    const at = (): readonly string[] => ['--bootstrap-server', broker.address]

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'millrace-scripts-'))
      broker = await startBroker({ folder, port: 0 })
      client = openClient({ brokers: [broker.address] })
      // Indexes are written when a segment is closed.
      const configs = { 'segment.bytes': '1048576' }
      await client.admin.createTopics([{ name: topic, partitions: 1, configs }])
    })
    after(async () => {
      await client.close()
      await broker.stop()
      await rm(folder, { recursive: true, force: true })
    })

    it('kafka-console-producer writes what kafka-console-consumer reads', async () => {
      await typed(['one', 'two', 'three'], 'ConsoleProducer', ...at(), '--topic', topic)
      const read = await runJavaTool(
        'consumer.ConsoleConsumer',
        ...at(),
        '--topic',
        topic,
        '--from-beginning',
        '--max-messages',
        '3',
      )
      assert.deepEqual(read.trim().split('\n'), ['one', 'two', 'three'])
    })

    it('kafka-configs sets, shows and takes back a topic setting', async () => {
      const entity = [...at(), '--entity-type', 'topics', '--entity-name', topic]
      const retention = 'retention.ms'
      await runJavaTool('ConfigCommand', ...entity, '--alter', '--add-config', `${retention}=60000`)
      const described = await runJavaTool('ConfigCommand', ...entity, '--describe')
      assert.match(described, /retention\.ms=60000 sensitive=false/)
      await runJavaTool('ConfigCommand', ...entity, '--alter', '--delete-config', retention)
      const after_ = await runJavaTool('ConfigCommand', ...entity, '--describe')
      assert.doesNotMatch(after_, /retention/)
    })

    it('kafka-verifiable-producer and -consumer agree on what was acknowledged', async () => {
      const produced = await runJavaTool(
        'VerifiableProducer',
        ...at(),
        '--topic',
        'verifiable',
        '--max-messages',
        '200',
        '--acks',
        '-1',
      )
      assert.match(produced, /"name":"tool_data".*"sent":200,"acked":200/)
      const consumed = await runJavaTool(
        'VerifiableConsumer',
        ...at(),
        '--topic',
        'verifiable',
        '--group-id',
        'verifiable',
        '--max-messages',
        '200',
        '--reset-policy',
        'earliest',
      )
      const counts = [...consumed.matchAll(/"name":"records_consumed".*?"count":(\d+)/g)]
      const total = counts.reduce((sum, [, count]) => sum + Number(count), 0)
      assert.equal(total, 200)
      assert.match(consumed, /"name":"offsets_committed".*"success":true/)
    })

    it('the performance tools read as much as they wrote', async () => {
      const written = await runJavaTool(
        'ProducerPerformance',
        '--topic',
        'performance',
        '--num-records',
        '5000',
        '--record-size',
        '500',
        '--throughput',
        '-1',
        '--bootstrap-server',
        broker.address,
      )
      assert.match(written, /5000 records sent/)
      const read = await runJavaTool(
        'ConsumerPerformance',
        ...at(),
        '--topic',
        'performance',
        '--num-records',
        '5000',
      )
      const last = read.trim().split('\n').at(-1)?.split(', ') ?? []
      assert.equal(Number(last[4]), 5000, read)
    })

    it('kafka-dump-log walks every record and finds the indexes sane', async () => {
      await using producer = client.producer()
      for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
        await using compressing = client.producer({ compression })
        await compressing.sendMany(
          Array.from({ length: 200 }, (_, n) => ({ topic, key: `k${n}`, value: 'x'.repeat(200) })),
        )
      }
      for (let sent = 0; sent < 3000; sent += 100)
        await producer.sendMany(
          Array.from({ length: 100 }, () => ({ topic, value: 'y'.repeat(1000) })),
        )
      await producer.send({ topic, value: 'last' })
      const logs = await filesOf(folder, `${topic}-0`, '.log')
      const dumped = await runJavaTool(
        'DumpLogSegments',
        '--deep-iteration',
        '--files',
        logs.join(','),
      )
      const payloads = [...dumped.matchAll(/\| offset: (\d+)/g)].map(([, offset]) => Number(offset))
      const [end] = await client.admin.listOffsets([{ topic, partition: 0, at: 'latest' }])
      assert.deepEqual(
        payloads,
        Array.from({ length: end?.offset ?? -1 }, (_, offset) => offset),
      )
      assert.doesNotMatch(dumped, /isvalid: false/)

      const indexes = [
        ...(await filesOf(folder, `${topic}-0`, '.index')),
        ...(await filesOf(folder, `${topic}-0`, '.timeindex')),
      ]
      const checked = await runJavaTool(
        'DumpLogSegments',
        '--index-sanity-check',
        '--files',
        indexes.join(','),
      )
      assert.equal([...checked.matchAll(/passed sanity check/g)].length, indexes.length, checked)
    })
  },
)

/** Runs a tool with these lines on its stdin. */
async function typed(lines: readonly string[], name: string, ...args: string[]): Promise<void> {
  const [command = '', ...rest] = javaTool(name, ...args)
  const child = spawn(command, rest, { stdio: ['pipe', 'ignore', 'pipe'] })
  let trouble = ''
  child.stderr.on('data', (chunk) => (trouble += String(chunk)))
  child.stdin.end(`${lines.join('\n')}\n`)
  const code = await new Promise((resolve) => void child.once('exit', resolve))
  assert.equal(code, 0, trouble)
}

async function filesOf(folder: string, partition: string, ending: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true })
  const own = all.filter((path) => path.includes(`${partition}/`) && path.endsWith(ending))
  assert.ok(own.length > 0, `no ${ending} of ${partition} among ${all.join(', ')}`)
  return own.map((path) => join(folder, path))
}
