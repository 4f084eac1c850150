import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'
import { cleanEnv, main, runCli, startCli, type RunningCli } from './run-cli.ts'

const sources = join(import.meta.dirname, '../../../packages/millrace/src/index.ts')

interface Ready {
  readonly status: string
  readonly reasons: readonly string[]
  readonly children: readonly {
    readonly name: string
    readonly state: string
    readonly pid: number | null
    readonly restarts: number
    readonly partitions: readonly object[]
  }[]
}

describe('millrace worker --processes', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-swarm-'))
    await writeFile(
      join(folder, 'millrace.config.ts'),
      `import { existsSync, writeFileSync } from 'node:fs'
       import { defineApp, defineConfig, defineConsumer, defineTopic } from ${JSON.stringify(sources)}
       const orders = defineTopic('orders', { partitions: 6 })
       const ballast = []
       export default defineConfig({
         clientId: 'shop',
         fetch: { maxWait: '50ms' },
         heartbeat: '300ms',
         swarm: { reportEvery: '100ms', lookEvery: '200ms', silentAfter: process.env.SILENT_AFTER ?? '60s', restartAfter: '100ms', crashLimit: 2 },
         worker: { shutdownTimeout: '10s' },
         app: defineApp({
           hooks: { beforeStart() { if (process.env.FAULT) throw new Error('no database') } },
           consumers: [defineConsumer({
             topic: orders,
             retries: 0,
             deadLetter: true,
             each({ value, partition, headers }) {
               // Once: what blocks for ever would outlive a failed test.
               if (value === 'block' && !existsSync('blocked')) {
                 writeFileSync('blocked', '')
                 for (const endMs = Date.now() + 60_000; Date.now() < endMs; );
               }
               if (value === 'crash') process.kill(process.pid, 'SIGKILL')
               if (value === 'grow') ballast.push(Buffer.alloc(300_000_000, 1))
               console.log('handled', process.pid, partition, value)
             },
           })],
         }),
       })`,
    )
  })
  after(() => rm(folder, { recursive: true, force: true }))

  interface Running extends AsyncDisposable {
    readonly cli: RunningCli
    readonly client: Client
    readonly ready: () => Promise<Ready>
    readonly metrics: () => Promise<string>
    readonly pids: () => Promise<readonly (number | null)[]>
    readonly members: () => Promise<readonly string[]>
  }

  async function start(
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Running> {
    await using stack = new AsyncDisposableStack()
    const broker = stack.use(await startTestBroker())
    const client = stack.use(openClient({ brokers: [broker.address] }))
    const cli = stack.use(
      startCli(['worker', '--processes', '2', '--create-topics', '--health-port', '0', ...args], {
        cwd: folder,
        env: { KAFKA_URL: broker.address, ...env },
      }),
    )
    // Its children are out of reach of what ends it.
    stack.defer(() => void cli.child.kill('SIGTERM'))
    const said = (): string => cli.stdout + cli.stderr
    let address = ''
    await until(
      'the endpoint is there',
      () => (address = /Health on (http:\/\/[^/]+)/.exec(said())?.[1] ?? '') !== '',
      { lastSeen: said },
    )
    const ready = async (): Promise<Ready> =>
      (await (await fetch(`${address}/readyz`)).json()) as Ready
    await until('all are ready', async () => (await ready()).status === 'ok', {
      lastSeen: async () => [said(), await ready()],
    })
    await until('all have their share', async () => {
      const { children } = await ready()
      return children.every(({ partitions }) => partitions.length === 3)
    })
    const describeGroup = async (): Promise<
      Awaited<ReturnType<Client['admin']['describeGroups']>>[number]
    > => (await client.admin.describeGroups(['shop_orders']))[0]!
    const owned = stack.move()
    return {
      cli,
      client,
      ready,
      metrics: async () => (await fetch(`${address}/metrics`)).text(),
      pids: async () => (await ready()).children.map(({ pid }) => pid),
      members: async () =>
        (await describeGroup()).members.map(({ instanceId }) => String(instanceId)).toSorted(),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  }

  const instances = [1, 2].map((n) => `${hostname()}-${n}`)

  it('share a group as static members: one that was killed comes back, HUP renews them one by one, TERM ends all', async () => {
    await using swarm = await start()
    const { children } = await swarm.ready()
    const sharesOf = (all: Ready['children']): readonly number[] =>
      all.map(({ partitions }) => partitions.length)
    assert.deepEqual(await swarm.members(), instances)
    const [first, victim] = await swarm.pids()
    process.kill(victim ?? 0, 'SIGKILL')
    await until('it was started again', async () => {
      const now = await swarm.ready()
      return now.status === 'ok' && now.children[1]?.restarts === 1
    })
    const [stayed, renewed] = await swarm.pids()
    assert.equal(stayed, first, 'the other lives on')
    assert.notEqual(renewed, victim)
    assert.deepEqual(sharesOf((await swarm.ready()).children), sharesOf(children))
    const status = await runCli(['status'], { cwd: folder })
    for (const name of ['worker', 'worker:1', 'worker:2'])
      assert.match(status.stdout, new RegExp(`^${name} +\\d+ +(running|supervising) `, 'm'))

    let leastUp = 2
    swarm.cli.child.kill('SIGHUP')
    await until('all are new', async () => {
      const now = await swarm.ready()
      leastUp = Math.min(leastUp, now.children.filter(({ state }) => state === 'running').length)
      const old = [stayed, renewed]
      return now.status === 'ok' && now.children.every(({ pid }, index) => pid !== old[index])
    })
    assert.equal(leastUp, 1, 'one at a time')
    assert.deepEqual(await swarm.members(), instances)

    const stopped = await runCli(['stop'], { cwd: folder })
    assert.equal(stopped.code, 0, stopped.stderr)
    assert.equal((await swarm.cli.ended).code, 0)
    assert.deepEqual(await swarm.members(), instances, 'static members do not leave')
  })

  it('are started anew when they are too large, silent, or killed by a message, which is given up in the end', async () => {
    await using swarm = await start(['--memory-limit', '250MB'], { SILENT_AFTER: '4s' })
    const said = (): string => swarm.cli.stdout + swarm.cli.stderr
    const watched = { lastSeen: said }
    const isReady = async (): Promise<boolean> => (await swarm.ready()).status === 'ok'
    const producer = swarm.client.producer()
    const send = (partition: number, value: string): Promise<unknown> =>
      producer.send({ topic: 'orders', partition, value: JSON.stringify(value) })

    await send(0, 'grow')
    await until(
      'it is too large',
      () => /worker:\d takes .* starting it anew/.test(said()),
      watched,
    )
    await until('all are ready', isReady)

    await send(1, 'block')
    await until(
      'it is silent',
      () => /Killed worker:\d .* it told nothing for/.test(said()),
      watched,
    )
    await until('the message came again', () => /handled \d+ 1 block/.test(said()), watched)
    await until('all are ready', isReady)

    const killed = said().match(/ended by SIGKILL/g)?.length ?? 0
    for (const value of ['before', 'crash', 'behind']) await send(2, value)
    await until('it goes on behind it', () => /handled \d+ 2 behind/.test(said()), watched)
    assert.match(
      said(),
      /orders\/2:1 has ended worker:\d 2 times; it is handed to no handler any more/,
    )
    // Not counted unless the process was suspect already: nobody noted what ran.
    const crashes = (said().match(/ended by SIGKILL/g)?.length ?? 0) - killed
    assert.ok(crashes === 2 || crashes === 3, said())
    await until('its letter is there', async () => {
      const letters: string[] = []
      for await (const { value, headers } of swarm.client.reader({ topics: ['orders-dlt'] }))
        letters.push(
          `${String(value)} ${String(headers.find(([name]) => name === 'millrace-error-code')?.[1])}`,
        )
      return letters.join() === '"crash" MR_WORKER_KILLED'
    })
    swarm.cli.child.kill('SIGTERM')
    assert.equal((await swarm.cli.ended).code, 0)
  })

  it('end with the parent when they cannot start', async () => {
    const { code, stdout, stderr } = await runCli(['worker', '--processes', '2'], {
      cwd: folder,
      env: { KAFKA_URL: 'localhost:1', FAULT: 'yes' },
    })
    assert.equal(code, 1)
    assert.match(stdout + stderr, /no database/)
  })

  it('end with code 3 when their parent has gone', async () => {
    await using broker = await startTestBroker()
    const orders = {
      index: 1,
      name: 'worker:1',
      parent: process.pid,
      restarts: 0,
      reportEveryMs: 100,
      input: { createTopics: true },
    }
    const child = fork(main, ['worker', '--brokers', broker.address], {
      cwd: folder,
      env: { ...cleanEnv(), MILLRACE_CHILD: JSON.stringify(orders) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    await until('it runs', async () => {
      const [message] = (await once(child, 'message')) as [{ status: { state: string } }]
      return message.status.state === 'running'
    })
    child.disconnect()
    const [code] = (await once(child, 'exit')) as [number]
    assert.equal(code, 3)
  })

  it('may be scaled by a file: names and numbers, all faults at once', async () => {
    await writeFile(join(folder, 'kafka_consumers.yml'), 'ordres: 1\norders: -1\n')
    const refused = await runCli(['worker', '--scale', 'kafka_consumers.yml'], { cwd: folder })
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /kafka_consumers\.yml:1: there is no consumer ordres; did you mean/,
    )
    assert.match(refused.stderr, /kafka_consumers\.yml:2: orders has the scale -1/)

    await using broker = await startTestBroker()
    await using client = openClient({ brokers: [broker.address] })
    await writeFile(join(folder, 'kafka_consumers.yml'), 'orders: 2\n')
    await using cli = startCli(['worker', '--scale', 'kafka_consumers.yml', '--create-topics'], {
      cwd: folder,
      env: { KAFKA_URL: broker.address },
    })
    await until('both have joined', async () => {
      const [group] = await client.admin.describeGroups(['shop_orders'])
      return group?.members.length === 2 && group.state === 'Stable'
    })
    const [group] = await client.admin.describeGroups(['shop_orders'])
    assert.deepEqual(group?.members.map(({ clientId }) => clientId).toSorted(), [
      `${hostname()}-orders-1`,
      `${hostname()}-orders-2`,
    ])
    cli.child.kill('SIGTERM')
    assert.equal((await cli.ended).code, 0)
    const [left] = await client.admin.describeGroups(['shop_orders'])
    assert.equal(left?.members.length, 0)
  })
})
