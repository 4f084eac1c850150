import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker, type Broker } from '../../../packages/millrace/src/broker/index.ts'
import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import {
  startGateway,
  type Gateway,
  type StartGatewayOptions,
} from '../../../packages/millrace/src/gateway/index.ts'
import { dial, type RawConnection } from '../../harness/gateway.ts'
import { earliest, taken } from './consumers.ts'

/** A gateway in front of a broker that can stop and start again on its folder and port. */
export class Outage implements AsyncDisposable {
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
