import { fork, execFile, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cachedKafka } from '../tools/kafka/fetch-kafka.ts'
import { startKafka } from '../tools/kafka/start-kafka.ts'

const run = promisify(execFile)

export type EngineName = 'embedded' | 'kafka'

/** A broker as a process of its own, its data on a disk. */
export interface BenchEngine extends AsyncDisposable {
  readonly name: EngineName
  /** `127.0.0.1:PORT` */
  readonly address: string
  readonly pid: number
  /** From the start of the process to its first answer. */
  readonly readyMs: number
}

/** Why Apache Kafka cannot be raced here, if it cannot. */
export const missingKafka =
  cachedKafka() === undefined
    ? 'Apache Kafka is not in the cache: `npm run test:kafka` fetches it'
    : undefined

export async function openEngine(name: EngineName): Promise<BenchEngine> {
  const startedMs = performance.now()
  if (name === 'kafka') {
    const kafka = await startKafka(cachedKafka() ?? '')
    const { address, pid } = kafka
    // Its storage is formatted by two other processes before, which are not its start.
    return {
      name,
      address,
      pid,
      readyMs: await ageMs(pid),
      [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const child = fork(join(import.meta.dirname, 'broker-child.js'), [folder], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [port] = (await once(child, 'message')) as [number]
  return {
    name,
    address: `127.0.0.1:${port}`,
    pid: child.pid ?? -1,
    readyMs: performance.now() - startedMs,
    async [Symbol.asyncDispose]() {
      await stop(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
}

/** CPU seconds that a process has used so far, of all its threads. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Resident memory now, in MiB. */
export async function memoryMibOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024
}

async function ageMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const startedTicks = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19])
  const uptime = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0])
  return (uptime - startedTicks / 100) * 1000
}

const source = join(import.meta.dirname, 'driver/driver.c')
const driver = join(import.meta.dirname, '../node_modules/.cache/bench-driver')

/** Compiles the neutral client; gives the reason when that cannot be done here. */
export async function buildDriver(): Promise<string | undefined> {
  try {
    if (existsSync(driver) && (await stat(driver)).mtimeMs > (await stat(source)).mtimeMs)
      return undefined
    await run('cc', ['-O2', '-o', driver, source, '-lrdkafka', '-lpthread'])
    return undefined
  } catch (error) {
    return `the driver needs a C compiler and librdkafka-dev: ${String(error).split('\n')[0]}`
  }
}

export async function drive<T>(...args: readonly (string | number)[]): Promise<T> {
  const { stdout } = await run(driver, args.map(String), { maxBuffer: 1 << 20 })
  return JSON.parse(stdout) as T
}
