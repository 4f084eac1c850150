import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { openClient } from '../../packages/millrace/src/client/index.ts'
import { openSecondEngine } from '../harness/engine.ts'
import { missingTool } from '../harness/tool.ts'
import { createTopics } from '../harness/topics.ts'
import { unique } from '../harness/unique.ts'
import { until } from '../harness/until.ts'

const program = '/usr/bin/Burrow'
const zooKeeper = '/usr/share/zookeeper/bin/zkServer.sh'
// It takes its locks there, and does not start without.
const missing =
  (await missingTool(program, ['--help'], 'package burrow')) ??
  (existsSync(zooKeeper) ? undefined : `${zooKeeper} is not installed: package zookeeper`)

interface GroupStatus {
  readonly status?: { readonly status: string; readonly totallag: number }
}

// It reads the commits from __consumer_offsets, as the broker has written them there.
it(
  "LinkedIn's Burrow finds a group of the embedded broker, and its lag, from the commits",
  { skip: missing, timeout: 60_000 },
  async () => {
    await using engine = await openSecondEngine()
    await using client = openClient({ brokers: engine.brokers })
    const [topic, group] = [unique('burrow'), unique('burrow')]
    await createTopics(client, { [topic]: {} })
    const producer = client.producer()
    await producer.sendMany(Array.from({ length: 10 }, () => ({ topic, value: 'x' })))
    await client.admin.setOffsets(group, [{ topic, partition: 0, offset: 1 }])

    const folder = await mkdtemp(join(tmpdir(), 'millrace-burrow-'))
    const port = await freePort()
    const locks = await freePort()
    await writeFile(join(folder, 'zoo.cfg'), locksConfiguration(folder, locks))
    await writeFile(join(folder, 'burrow.toml'), configuration(engine.address, port, locks))
    const env = { ...process.env, ZOO_LOG_DIR: folder }
    const foreground = ['start-foreground', join(folder, 'zoo.cfg')]
    const keeper = spawn(zooKeeper, foreground, { env, stdio: 'ignore', detached: true })
    const keeperEnded = once(keeper, 'exit')
    await until('ZooKeeper serves', () => isServing(locks))
    const burrow = spawn(program, ['--config-dir', folder], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const burrowEnded = once(burrow, 'exit')
    let trouble = ''
    burrow.stderr.on('data', (chunk) => (trouble += String(chunk)))
    try {
      // A group is known by a commit that comes while it listens.
      let offset = 2
      let seen: unknown
      const url = `http://127.0.0.1:${port}/v3/kafka/local/consumer/${group}/lag`
      await until(
        'it knows the group',
        async () => {
          if (offset < 7) offset++
          await client.admin.setOffsets(group, [{ topic, partition: 0, offset }])
          const answer = await fetch(url)
          const { status } = (await answer.json()) as GroupStatus
          seen = status
          return offset === 7 && status?.totallag === 3
        },
        { deadline: 45_000, lastSeen: () => ({ seen, trouble }) },
      )
      const { status } = (await (await fetch(url)).json()) as GroupStatus
      assert.equal(status?.totallag, 3)
    } finally {
      burrow.kill('SIGKILL')
      // A script and the Java that it has started.
      process.kill(-(keeper.pid ?? 0), 'SIGKILL')
      await Promise.all([burrowEnded, keeperEnded])
      await rm(folder, { recursive: true, force: true })
    }
  },
)

function locksConfiguration(folder: string, port: number): string {
  return `
tickTime=500
dataDir=${folder}
clientPort=${port}
clientPortAddress=127.0.0.1
admin.enableServer=false
`
}

function configuration(address: string, port: number, locks: number): string {
  return `
[zookeeper]
servers=["127.0.0.1:${locks}"]
[general]
pidfile="burrow.pid"
[logging]
filename="burrow.log"
level="error"
[client-profile.own]
client-id="burrow"
kafka-version="2.0.0"
[cluster.local]
class-name="kafka"
servers=["${address}"]
client-profile="own"
topic-refresh=1
offset-refresh=1
[consumer.local]
class-name="kafka"
cluster="local"
servers=["${address}"]
client-profile="own"
start-latest=true
[httpserver.default]
address="127.0.0.1:${port}"
[storage.default]
class-name="inmemory"
workers=1
intervals=5
expire-group=604800
min-distance=0
`
}

/** It listens before it serves; its own word for serving is a mode. */
function isServing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('srvr'))
    let answer = ''
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(answer.includes('Mode:')))
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
