import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const readyTimeoutMs = 60_000
const stopTimeoutMs = 20_000
const keptLogBytes = 16 * 1024

/** One node of Apache Kafka, broker and controller in one, in a temporary folder. */
export interface RunningKafka extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string
  readonly pid: number
  /** Rejects when Kafka ends by itself. */
  readonly ended: Promise<never>
}

/** Formats and starts Kafka in KRaft mode on free ports; resolves once it answers requests. */
export async function startKafka(
  jars: string,
  options: { readonly port?: number; readonly configs?: Readonly<Record<string, string>> } = {},
): Promise<RunningKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-'))
  try {
    const port = options.port ?? (await freePort())
    const properties = join(folder, 'server.properties')
    const configs = {
      ...serverConfigs(join(folder, 'log'), port, await freePort()),
      ...options.configs,
    }
    await writeFile(
      properties,
      Object.entries(configs)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    )
    const logConfig = join(folder, 'log4j2.properties')
    await writeFile(logConfig, logging)
    const java = [`-Dlog4j2.configurationFile=${logConfig}`, '-cp', join(jars, '*')]

    const storage = [...java, 'kafka.tools.StorageTool']
    const { stdout: clusterId } = await run('java', [...storage, 'random-uuid'])
    await run('java', [...storage, 'format', '-t', clusterId.trim(), '-c', properties])

    const child = spawn('java', ['-Xmx1G', '-XX:+UseG1GC', ...java, 'kafka.Kafka', properties], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return await whenReady(child, port, folder)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function whenReady(child: ChildProcess, port: number, folder: string): Promise<RunningKafka> {
  let log = ''
  const keep = (chunk: unknown): void => {
    log = (log + String(chunk)).slice(-keptLogBytes)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)

  const exited = once(child, 'exit')
  const ended = exited.then(([code]) => {
    throw new Error(`Kafka ended with code ${String(code)}; the end of its log:\n${log}`)
  })
  // Whoever does not ask is not to be killed by an unhandled rejection at a clean stop.
  ended.catch(() => {})

  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    await exited
    clearTimeout(killer)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await Promise.race([answersApiVersions(port), ended])
  } catch (error) {
    await stop()
    throw error
  }
  return { address: `127.0.0.1:${port}`, pid: child.pid ?? -1, ended, [Symbol.asyncDispose]: stop }
}

/**
 * The listener is bound long before the broker is let in by the controller, so an open port says nothing; an
 * answered request does.
 */
async function answersApiVersions(port: number): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs
  while (Date.now() < deadline) {
    if (await asked(port)) return
    await wait(100)
  }
  throw new Error(`Kafka did not answer on port ${port} within ${readyTimeoutMs} ms`)
}

/** ApiVersions v0: size 10, key 18, version 0, correlation id 1, client id null. */
const question = Buffer.from('0000000a0012000000000001ffff', 'hex')

function asked(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (isAnswered: boolean): void => {
      socket.destroy()
      resolve(isAnswered)
    }
    socket.setTimeout(2000, () => end(false))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.on('data', () => end(true))
    socket.write(question)
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function serverConfigs(
  logFolder: string,
  port: number,
  controllerPort: number,
): Readonly<Record<string, string>> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logFolder,
    // The same as the embedded broker's defaults, so that both engines run one suite.
    'num.partitions': '4',
    'auto.create.topics.enable': 'true',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '2000',
    // Retention is looked after each second and not each five minutes, so that tests can wait for it.
    'log.retention.check.interval.ms': '1000',
    'log.initial.task.delay.ms': '500',
    'log.segment.delete.delay.ms': '1000',
    'default.replication.factor': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
  }
}

const logging = `status=warn
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
`
