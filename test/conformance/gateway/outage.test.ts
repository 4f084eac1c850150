import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startBroker, type Broker } from '../../../packages/millrace/src/broker/index.ts'
import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import {
  startGateway,
  type Gateway,
  type StartGatewayOptions,
} from '../../../packages/millrace/src/gateway/index.ts'
import { bulk, dial, type RawConnection } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { earliest, nothingCame, shown, taken } from './consumers.ts'

const queueFull = '-PROD Local: Queue full\r\n'

/** A gateway in front of a broker that can stop and start again on its folder and port. */
class Outage implements AsyncDisposable {
  readonly gateway: Gateway
  readonly client: Client
  readonly port: number
  readonly #folder: string
  readonly #open = new Set<RawConnection>()
  #broker: Broker | undefined

  constructor(folder: string, broker: Broker, gateway: Gateway, client: Client) {
    this.#folder = folder
    this.port = broker.port
    this.#broker = broker
    this.gateway = gateway
    this.client = client
  }

  static async begin(
    topics: readonly string[],
    options: Partial<StartGatewayOptions> = {},
  ): Promise<Outage> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-outage-'))
    const broker = await startBroker({ folder, host: '127.0.0.1' })
    const brokers = [broker.address]
    const client = openClient({ brokers })
    await client.admin.createTopics(topics.map((name) => ({ name, partitions: 1 })))
    const gateway = await startGateway({ brokers, port: 0, ...options })
    return new Outage(folder, broker, gateway, client)
  }

  async dial(): Promise<RawConnection> {
    const connection = await dial(this.gateway.port)
    this.#open.add(connection)
    return connection
  }

  async down(): Promise<void> {
    await this.#broker?.stop()
    this.#broker = undefined
  }

  async up(): Promise<void> {
    this.#broker = await startBroker({
      folder: this.#folder,
      host: '127.0.0.1',
      port: this.port,
    })
  }

  /** All values of a topic, as a client of ours reads them. */
  async values(topic: string): Promise<string[]> {
    const connection = await this.dial()
    await connection.command('CLIENT', 'SETNAME', `reader-${topic}:${performance.now()}`)
    const [end] = await this.client.admin.listOffsets([{ topic, partition: 0, at: 'latest' }])
    const values: string[] = []
    while (values.length < (end?.offset ?? 0))
      values.push(
        taken(await connection.command('BLPOP', `topics:${topic}:${earliest}`, '5')).value,
      )
    return values
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#open) connection.close()
    await this.gateway.stop({ timeoutMs: 1000 })
    await this.client.close({ timeoutMs: 0 })
    await this.#broker?.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

describe('while the broker is down', () => {
  it('messages are accepted until the queue is full, and none of them is lost', async () => {
    await using outage = await Outage.begin(['orders'], { bufferBytes: '32KiB' })
    const one = await outage.dial()
    const leaving = await outage.dial()
    const accepted: string[] = []
    const produce = async (connection: RawConnection, value: string): Promise<string> => {
      const reply = await connection.command('RPUSHX', 'topics:orders', value)
      if (reply === ':1\r\n') accepted.push(value)
      return reply
    }
    for (let at = 0; at < 10; at++) assert.equal(await produce(one, `before${at}`), ':1\r\n')
    assert.equal(await one.command('DUMP', '5000'), ':0\r\n')

    await outage.down()
    for (let at = 0; at < 20; at++) assert.equal(await produce(one, `one${at}`), ':1\r\n')
    for (let at = 0; at < 20; at++) assert.equal(await produce(leaving, `leaving${at}`), ':1\r\n')
    leaving.close()
    const quitting = await outage.dial()
    for (let at = 0; at < 20; at++) assert.equal(await produce(quitting, `quit${at}`), ':1\r\n')
    assert.equal(await quitting.command('QUIT'), bulk('OK'))
    assert.equal(await one.command('DUMP', '50'), ':20\r\n')

    const late = await outage.dial()
    let count = 0
    for (; (await produce(late, `late${count} ${'x'.repeat(500)}`)) === ':1\r\n'; count++)
      assert.ok(count < 100, 'the queue fills')
    assert.ok(count > 10, `${count}`)
    assert.equal(await produce(late, 'x'.repeat(2000)), queueFull)
    assert.equal(await produce(one, 'x'.repeat(2000)), queueFull)
    assert.equal(await late.command('DUMP', '0'), `:${count}\r\n`)
    assert.equal(await one.command('DUMP', '0'), ':20\r\n')
    assert.equal(await late.command('PING'), '+PONG\r\n')

    await outage.up()
    assert.equal(await late.command('DUMP', '20000'), ':0\r\n')
    assert.equal(await one.command('DUMP', '20000'), ':0\r\n')
    assert.equal(await produce(late, 'after'), ':1\r\n')
    assert.equal(await late.command('DUMP', '5000'), ':0\r\n')
    await until(
      'nothing is on its way',
      () => outage.gateway.figures()['produce_waiting_messages'] === 0,
    )
    assert.equal(outage.gateway.figures()['produce_waiting_bytes'], 0)
    assert.equal(outage.gateway.figures()['produce_failures'], 0)

    const inLog = await outage.values('orders')
    assert.deepEqual(inLog.toSorted(), accepted.toSorted())
    // Each connection's in their order.
    for (const who of ['before', 'one', 'leaving', 'quit', 'late'])
      assert.deepEqual(
        inLog.filter((value) => value.startsWith(who)),
        accepted.filter((value) => value.startsWith(who)),
      )
  })

  it('one connection cannot use up the room of the others', async () => {
    await using outage = await Outage.begin(['orders'], { bufferBytesPerConnection: '4KiB' })
    const greedy = await outage.dial()
    const modest = await outage.dial()
    await outage.down()
    let count = 0
    while ((await greedy.command('RPUSHX', 'topics:orders', 'x'.repeat(500))) === ':1\r\n') count++
    assert.ok(count >= 4 && count <= 8, `${count}`)
    assert.equal(await modest.command('RPUSHX', 'topics:orders', 'y'), ':1\r\n')
    await outage.up()
    assert.equal(await greedy.command('DUMP', '20000'), ':0\r\n')
    assert.equal(await greedy.command('RPUSHX', 'topics:orders', 'x'.repeat(500)), ':1\r\n')
  })

  it('a consumer hears of it once at most, then waits until there is something again', async () => {
    await using outage = await Outage.begin(['orders'])
    const producer = await outage.dial()
    await producer.command('RPUSHX', 'topics:orders', 'a')
    const consumer = await outage.dial()
    assert.equal(await consumer.command('CLIENT', 'SETNAME', 'orders:one'), bulk('OK'))
    const key = `topics:orders:${earliest}`
    assert.equal(await consumer.command('BLPOP', key, '5'), shown('orders', 0, 0, 'a'))
    assert.equal(await consumer.command('RPUSH', 'acks', 'orders:0:0'), ':1\r\n')
    await outage.down()
    const replies: string[] = []
    for (let at = 0; at < 30; at++) replies.push(await consumer.command('BLPOP', key, '0.1'))
    const errors = replies.filter((reply) => reply !== nothingCame)
    assert.ok(errors.length <= 1, errors.join(''))
    for (const error of errors) assert.match(error, /^-CONS Poll [^\r\n]+\r\n$/)
    assert.equal(await producer.command('RPUSHX', 'topics:orders', 'b'), ':1\r\n')
    await outage.up()
    let reply = ''
    await until('the next message comes', async () => {
      reply = await consumer.command('BLPOP', key, '1')
      return reply.startsWith('*8')
    })
    assert.equal(reply, shown('orders', 0, 1, 'b'))
    assert.equal(await consumer.command('RPUSH', 'acks', 'orders:0:1'), ':1\r\n')
    assert.equal(await consumer.command('QUIT'), bulk('OK'))
    const [position] = await outage.client.admin.committedOffsets('orders')
    assert.equal(position?.offset, 2)
  })

  it('a gateway may start, take messages, and let consumers wait', async () => {
    await using outage = await Outage.begin(['orders'])
    await outage.down()
    await using early = await startGateway({
      brokers: [`127.0.0.1:${outage.port}`],
      port: 0,
    })
    const connection = await dial(early.port)
    assert.equal(await connection.command('RPUSHX', 'topics:orders', 'early'), ':1\r\n')
    const consumer = await dial(early.port)
    await consumer.command('CLIENT', 'SETNAME', 'early:one')
    const key = `topics:orders:${earliest}`
    const first = await consumer.command('BLPOP', key, '0.2')
    assert.ok(first === nothingCame || first.startsWith('-CONS Poll '), first)
    assert.match(await connection.command('KEYS', 'topics:'), /^-ERR Error getting metadata: /)
    await outage.up()
    assert.equal(await connection.command('DUMP', '20000'), ':0\r\n')
    await until(
      'it is read',
      async () => (await consumer.command('BLPOP', key, '1')) === shown('orders', 0, 0, 'early'),
    )
    connection.close()
    consumer.close()
  })

  it('a durable connection waits for its answers', async () => {
    await using outage = await Outage.begin(['orders'])
    const connection = await outage.dial()
    await connection.command('CLIENT', 'DURABLE', 'ON')
    assert.equal(await connection.command('RPUSHX', 'topics:orders', 'a'), ':1\r\n')
    await outage.down()
    connection.write('rpushx topics:orders b\r\nrpushx topics:orders c\r\nPING\r\n')
    await until(
      'both are on their way',
      () => outage.gateway.figures()['produce_waiting_messages'] === 2,
    )
    await outage.up()
    assert.equal(await connection.reply(20_000), ':1\r\n')
    assert.equal(await connection.reply(), ':1\r\n')
    assert.equal(await connection.reply(), '+PONG\r\n')
    assert.deepEqual(await outage.values('orders'), ['a', 'b', 'c'])
  })
})
