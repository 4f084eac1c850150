import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCli, type CliResult, type RunningCli } from '../integration/cli/run-cli.ts'
import { until } from './until.ts'

/** `millrace broker` on a folder of its own, as its user runs it. */
export interface BrokerCommand extends AsyncDisposable {
  readonly folder: string
  readonly address: string
  /** What the running one has said on standard error: repairs, signals. */
  readonly said: () => string
  /** SIGKILL. */
  readonly kill: () => Promise<void>
  /** SIGTERM; gives its exit code and what it printed. */
  readonly stop: () => Promise<CliResult>
  /** Again on the same folder and port, after `kill` or `stop`. */
  readonly start: () => Promise<void>
}

export async function startBrokerCommand(): Promise<BrokerCommand> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  let port = '0'
  let address = ''
  let running: RunningCli
  const start = async (): Promise<void> => {
    running = startCli(['broker', '--data', folder, '--port', port])
    await until('the broker says where it is', () => running.stdout.includes('Broker on'), {
      lastSeen: () => running.stderr,
    })
    address = /Broker on (\S+),/.exec(running.stdout)?.[1] ?? ''
    port = address.slice(address.lastIndexOf(':') + 1)
  }
  const end = async (signal: NodeJS.Signals): Promise<CliResult> => {
    running.child.kill(signal)
    return await running.ended
  }
  await start()
  return {
    folder,
    get address() {
      return address
    },
    said: () => running.stderr,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    start,
    async [Symbol.asyncDispose]() {
      await end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Why scenarios with it do not run on the other engine. */
export const onlyOurs = { kafka: 'a running Apache Kafka is not ours to kill' } as const
