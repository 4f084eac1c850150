/**
 * Races consumers: each reads the same messages from a broker of its own, twice, in a process of its own; the second
 * pass counts, and of it only that process's CPU, from the first message to the last.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { startBroker } from '../packages/millrace/src/broker/index.ts'
import { openClient } from '../packages/millrace/src/client/index.ts'

export const topic = 'bench'
const partitions = 4
const batchSize = 500

/** Reads a topic of `count` messages as a new group, and calls back with the size of each value. */
export type Racer = (
  address: string,
  groupId: string,
  count: number,
  seen: (bytes: number) => void,
) => Promise<void>

export interface Race {
  /** The file that called: it is started again as a child. */
  readonly file: string
  readonly title: string
  readonly racers: Readonly<Record<string, Racer>>
  readonly value: (index: number) => Buffer
  /** Messages when the command line names no number. */
  readonly messages: number
}

export async function raceConsumers(race: Race): Promise<void> {
  if (process.argv[2] === 'child') await child(race, process.argv.slice(3))
  else await start(race, Number(process.argv[2] ?? race.messages))
}

interface Figures {
  readonly cpuMicros: number
  readonly perSecond: number
}

/** From the first message to the last: joining is not what is measured. */
async function run(
  racer: Racer,
  value: Race['value'],
  address: string,
  count: number,
): Promise<Figures> {
  let bytes = 0
  const pass = async (groupId: string): Promise<Figures> => {
    let cpu = process.cpuUsage()
    let startMs = 0
    let read = 0
    let figures: Figures | undefined
    await racer(address, groupId, count, (size) => {
      if (startMs === 0) {
        startMs = performance.now()
        cpu = process.cpuUsage()
      }
      bytes += size
      if (++read < count) return
      const { user, system } = process.cpuUsage(cpu)
      const seconds = (performance.now() - startMs) / 1000
      figures = { cpuMicros: (user + system) / count, perSecond: count / seconds }
    })
    if (!figures) throw new Error(`${read} of ${count} messages`)
    return figures
  }
  await pass('warm')
  const figures = await pass('measured')
  const sizes = Array.from({ length: count }, (_, index) => value(index % batchSize).length)
  const expected = sizes.reduce((sum, size) => sum + size, 0)
  if (bytes !== expected * 2) throw new Error('messages of another size came')
  return figures
}

async function serve(value: Race['value'], count: number): Promise<void> {
  const broker = await startBroker({ memory: true, options: { defaultPartitions: partitions } })
  await broker.store.createTopic({ name: topic, partitions, configs: {} })
  {
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    for (let sent = 0; sent < count; sent += batchSize) {
      const partition = (sent / batchSize) % partitions
      const messages = Array.from({ length: batchSize }, (_, index) => ({
        topic,
        partition,
        key: Buffer.from(`key-${index % 200}`),
        value: value(index),
      }))
      await producer.sendMany(messages)
    }
  }
  process.send?.(broker.address)
  await once(process, 'disconnect')
  process.exit()
}

async function child({ racers, value }: Race, args: readonly string[]): Promise<void> {
  const [role = '', address = '', count = ''] = args
  if (role === 'broker') return serve(value, Number(count))
  const racer = racers[role]
  if (!racer) throw new Error(`there is no racer ${role}`)
  process.send?.(await run(racer, value, address, Number(count)))
  process.exit()
}

function startChild(file: string, ...args: readonly string[]): ChildProcess {
  return fork(file, ['child', ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

async function start({ file, title, racers }: Race, asked: number): Promise<void> {
  const count = Math.ceil(asked / batchSize / partitions) * batchSize * partitions
  const figures = new Map<string, Figures>()
  for (const name of Object.keys(racers)) {
    // A broker for each: none inherits the other's groups.
    const broker = startChild(file, 'broker', '', String(count))
    const [address] = (await once(broker, 'message')) as [string]
    const client = startChild(file, name, address, String(count))
    const [result] = (await Promise.race([once(client, 'message'), once(client, 'exit')])) as [
      Figures | number,
    ]
    if (typeof result === 'object' && result !== null) figures.set(name, result)
    else console.log(`${name} failed`)
    broker.disconnect()
    if (client.exitCode === null) await once(client, 'exit')
  }
  const best = Math.min(...Array.from(figures.values(), ({ cpuMicros }) => cpuMicros))
  console.log(`${count.toLocaleString('en')} ${title}: CPU per message, 1.0 is the best`)
  for (const [name, { cpuMicros, perSecond }] of figures) {
    const ratio = (cpuMicros / best).toFixed(2).padStart(6)
    const micros = cpuMicros.toFixed(2).padStart(8)
    const rate = Math.round(perSecond).toLocaleString('en').padStart(10)
    console.log(`  ${name.padEnd(14)}${ratio}  ${micros} us  ${rate} messages/s`)
  }
}
